import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { makeToken, revokeToken, tokensQuery, type ReadToken } from '../../api/members.ts';
import { useSearchState } from '../../search/use-search.ts';
import { dateIn } from '../../time/zone.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { ShownOnce } from '../../ui/shown-once.tsx';
import { parseTeams } from './team-list.ts';

const FIELD =
  'h-8 rounded-md border border-line-strong bg-surface px-2.5 text-[13px] shadow-card placeholder:text-ink-3';

/** Tokens that read reports and do nothing else. */
export function ReadTokens() {
  const [{ tz }] = useSearchState();
  const tokens = useQuery(tokensQuery);
  const queryClient = useQueryClient();
  const [name, setName] = useState('');
  const [teams, setTeams] = useState('');
  const refresh = (): Promise<void> => queryClient.invalidateQueries(tokensQuery);
  const make = useMutation({
    mutationFn: () => makeToken(name.trim(), parseTeams(teams)),
    onSuccess: () => {
      setName('');
      return refresh();
    },
  });
  const revoke = useMutation({ mutationFn: revokeToken, onSettled: refresh });
  const problem = make.error ?? revoke.error ?? tokens.error;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <section aria-labelledby="tokens-heading" className="rounded-lg border border-line bg-surface shadow-card">
      <div className="flex flex-wrap items-center gap-2 px-4 pt-3 pb-3">
        <h2 id="tokens-heading" className="mr-auto text-[13px] font-semibold">
          Read tokens
          <span className="ml-2 font-normal text-ink-3">for programs that read reports</span>
        </h2>
        <form aria-label="Make a read token" onSubmit={submit} className="flex flex-wrap items-center gap-2">
          <input
            aria-label="Name of the token"
            required
            value={name}
            onChange={(event) => setName(event.target.value)}
            placeholder="What it is for"
            autoComplete="off"
            className={`${FIELD} w-44`}
          />
          <input
            aria-label="Teams of the token"
            value={teams}
            onChange={(event) => setTeams(event.target.value)}
            placeholder="Teams; empty: everything"
            autoComplete="off"
            className={`${FIELD} w-52`}
          />
          <Button type="submit" disabled={make.isPending}>
            Make a token
          </Button>
        </form>
      </div>
      {make.data !== undefined && <ShownOnce title="The token" secret={make.data} />}
      {problem !== null && (
        <p role="alert" className="px-4 pb-3 text-[13px] text-bad">
          {problem.message}
        </p>
      )}
      {tokens.data?.length === 0 && (
        <p className="border-t border-line px-4 py-4 text-[13px] text-ink-2">
          None yet. A spreadsheet, a warehouse or another dashboard reads with a token of its own, which can be revoked.
        </p>
      )}
      <ul>
        {(tokens.data ?? []).map((token) => (
          <li
            key={token.id}
            className="flex flex-wrap items-center gap-x-4 border-t border-line px-4 py-1.5 text-[13px]"
          >
            <span className="min-w-0 flex-1 basis-48">
              <span className="font-medium">{token.name}</span> <code className="text-ink-3">{token.shown}</code>
            </span>
            <span className="text-ink-2">{reachOf(token)}</span>
            <span className="text-ink-2">
              {token.last_used_at === null ? 'never used' : `last used ${dateIn(tz, Date.parse(token.last_used_at))}`}
            </span>
            {token.revoked_at === null ? (
              <Button look="quiet" onClick={() => revoke.mutate(token.id)} aria-label={`Revoke ${token.name}`}>
                Revoke
              </Button>
            ) : (
              <Badge tone="bad">revoked</Badge>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function reachOf({ everything, teams, entities }: ReadToken): string {
  if (everything) return 'everything';
  const names = (entities ?? []).map((entity) => `${entity.entity_type} ${entity.entity_id}`);
  return [...(teams ?? []).map((team) => `team ${team}`), ...names].join(', ');
}
