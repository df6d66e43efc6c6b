import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import {
  changeMember,
  makeLink,
  membersQuery,
  type Member,
  type MemberChange,
  type MemberLink,
} from '../../api/members.ts';
import { useSearchState } from '../../search/use-search.ts';
import { dateIn } from '../../time/zone.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { RoleSelect } from './role-select.tsx';
import { parseTeams } from './team-list.ts';

type MemberTableProps = { readonly members: readonly Member[]; readonly onLink: (link: MemberLink) => void };

const HEAD = 'px-4 py-2 text-left text-xs font-medium text-ink-2';

export function MemberTable({ members, onLink }: MemberTableProps) {
  if (members.length === 0) {
    return (
      <p className="border-t border-line px-4 py-4 text-[13px] text-ink-2">
        Nobody yet. Whoever is invited chooses a password by a link that you send.
      </p>
    );
  }
  return (
    <div className="relative overflow-x-auto">
      <table className="w-full min-w-[760px] border-t border-line text-[13px]">
        <thead>
          <tr>
            <th className={HEAD}>Who</th>
            <th className={HEAD}>Role</th>
            <th className={HEAD}>Teams</th>
            <th className={HEAD}>Last sign-in</th>
            <th className={HEAD}>
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {members.map((member) => (
            <MemberRow key={member.id} member={member} onLink={onLink} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

type MemberRowProps = { readonly member: Member; readonly onLink: (link: MemberLink) => void };

function MemberRow({ member, onLink }: MemberRowProps) {
  const queryClient = useQueryClient();
  const [{ tz }] = useSearchState();
  const change = useMutation({
    mutationFn: (asked: MemberChange) => changeMember(member.id, asked),
    onSettled: () => queryClient.invalidateQueries(membersQuery),
  });
  const link = useMutation({ mutationFn: () => makeLink(member.id), onSuccess: onLink });
  const problem = change.error ?? link.error;
  return (
    <tr className="border-t border-line align-top">
      <td className="px-4 py-2">
        <span className="font-medium">{member.name}</span> {member.kind === 'service' && <Badge>service account</Badge>}
        {member.invited && <Badge tone="warn">invited</Badge>}
        {member.disabled && <Badge tone="bad">disabled</Badge>}
        {member.email !== null && member.email !== member.name && <div className="text-ink-3">{member.email}</div>}
        {problem !== null && (
          <p role="alert" className="text-bad">
            {problem.message}
          </p>
        )}
      </td>
      <td className="px-4 py-1.5">
        <RoleSelect label={`Role of ${member.name}`} value={member.role} onChange={(role) => change.mutate({ role })} />
      </td>
      <td className="px-4 py-1.5">
        <TeamField member={member} onChange={(teams) => change.mutate({ teams })} />
      </td>
      <td className="px-4 py-2 text-ink-2">{signInWords(member, tz)}</td>
      <td className="px-4 py-1.5 text-right whitespace-nowrap">
        {member.kind === 'person' && (
          <Button look="quiet" onClick={() => link.mutate()} aria-label={`New link for ${member.name}`}>
            New link
          </Button>
        )}
        <Button
          look="quiet"
          onClick={() => change.mutate({ disabled: !member.disabled })}
          aria-label={`${member.disabled ? 'Enable' : 'Disable'} ${member.name}`}
        >
          {member.disabled ? 'Enable' : 'Disable'}
        </Button>
      </td>
    </tr>
  );
}

function signInWords({ kind, last_sign_in_at: at }: Member, zone: string): string {
  if (kind === 'service') return 'does not';
  return at === null ? 'never' : dateIn(zone, Date.parse(at));
}

type TeamFieldProps = { readonly member: Member; readonly onChange: (teams: readonly string[]) => void };

/** Saved when one leaves it, or with Enter. */
function TeamField({ member, onChange }: TeamFieldProps) {
  const [text, setText] = useState(member.teams.join(', '));
  const save = (): void => {
    const teams = parseTeams(text);
    if (teams.join() !== member.teams.join()) onChange(teams);
  };
  return (
    <input
      aria-label={`Teams of ${member.name}`}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onBlur={save}
      onKeyDown={(event) => {
        if (event.key === 'Enter') save();
      }}
      placeholder="none"
      autoComplete="off"
      className="h-8 w-40 rounded-md border border-line-strong bg-surface px-2 text-[13px] shadow-card placeholder:text-ink-3"
    />
  );
}
