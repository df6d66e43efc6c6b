import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { invite, membersQuery, type MemberLink, type Role } from '../../api/members.ts';
import { Button } from '../../ui/button.tsx';
import { RoleSelect } from './role-select.tsx';
import { parseTeams } from './team-list.ts';

const FIELD =
  'h-8 rounded-md border border-line-strong bg-surface px-2.5 text-[13px] shadow-card placeholder:text-ink-3';

type InviteFormProps = { readonly onInvited: (link: MemberLink) => void };

export function InviteForm({ onInvited }: InviteFormProps) {
  const queryClient = useQueryClient();
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [teams, setTeams] = useState('');
  const inviting = useMutation({
    mutationFn: () => invite({ email: email.trim(), role, teams: parseTeams(teams) }),
    onSuccess: async (link) => {
      onInvited(link);
      setEmail('');
      await queryClient.invalidateQueries(membersQuery);
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    inviting.mutate();
  };
  return (
    <form aria-label="Invite somebody" onSubmit={submit} className="flex flex-wrap items-center gap-2">
      <input
        aria-label="E-mail"
        type="email"
        required
        value={email}
        onChange={(event) => setEmail(event.target.value)}
        placeholder="ada@example.com"
        autoComplete="off"
        className={`${FIELD} w-52`}
      />
      <RoleSelect label="Role" value={role} onChange={setRole} />
      <input
        aria-label="Teams"
        value={teams}
        onChange={(event) => setTeams(event.target.value)}
        placeholder="Teams: growth, search"
        autoComplete="off"
        className={`${FIELD} w-44`}
      />
      <Button type="submit" look="primary" disabled={inviting.isPending}>
        Invite
      </Button>
      {inviting.error !== null && (
        <p role="alert" className="w-full text-[13px] text-bad">
          {inviting.error.message}
        </p>
      )}
    </form>
  );
}
