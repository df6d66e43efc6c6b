import { useQuery } from '@tanstack/react-query';
import { keysQuery, teamsQuery } from '../../api/keys.ts';
import { PageHeader } from '../../shell/page-header.tsx';
import { Problem } from '../../ui/problem.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { byTeam } from './key-rows.ts';
import { TeamSection } from './team-section.tsx';

/** Keys by team, with what each may spend and has spent. They are made and changed through the API. */
export function KeysPage() {
  const keys = useQuery(keysQuery);
  const teams = useQuery(teamsQuery);
  const error = keys.error ?? teams.error;
  const isRead = keys.data !== undefined && teams.data !== undefined;
  const groups = isRead ? byTeam(teams.data, keys.data.keys) : [];
  const left = isRead ? keys.data.total_count - keys.data.keys.length : 0;
  return (
    <div className="mx-auto w-full max-w-[1240px] space-y-4 px-4 py-5 sm:px-6 lg:px-8">
      <PageHeader
        title="Keys and teams"
        freshness="Made with POST /key/generate and /team/new; tokens are shown once, when they are made"
        period="whole"
      />
      {error !== null && !isRead && (
        <Problem
          title="The keys could not be read"
          error={error}
          onRetry={() => {
            void keys.refetch();
            void teams.refetch();
          }}
        />
      )}
      {error === null && !isRead && <Skeleton className="h-32" />}
      {isRead && groups.length === 0 && (
        <p className="rounded-lg border border-line bg-surface px-4 py-4 text-[13px] text-ink-2 shadow-card">
          There are no keys that you see. POST /key/generate makes one, for a team, a person or a program.
        </p>
      )}
      {groups.map((group) => (
        <TeamSection key={group.id} of={group} />
      ))}
      {left > 0 && <p className="text-[13px] text-ink-2">{left} more keys are in GET /key/list.</p>}
    </div>
  );
}
