import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { membersQuery, type MemberLink } from '../../api/members.ts';
import { PageHeader } from '../../shell/page-header.tsx';
import { Problem } from '../../ui/problem.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { InviteForm } from './invite-form.tsx';
import { MemberTable } from './member-table.tsx';
import { ReadTokens } from './read-tokens.tsx';
import { ShownOnce } from '../../ui/shown-once.tsx';

/** Who may see and do what: people, service accounts, and tokens for programs that read. */
export function MembersPage() {
  const members = useQuery(membersQuery);
  const [link, setLink] = useState<MemberLink | null>(null);
  const { data, error } = members;
  return (
    <div className="mx-auto w-full max-w-[1240px] space-y-4 px-4 py-5 sm:px-6 lg:px-8">
      <PageHeader
        title="Members"
        freshness="Team leads and viewers see what the keys of their teams spend, and nothing else"
        period="whole"
      />
      <section aria-labelledby="members-heading" className="rounded-lg border border-line bg-surface shadow-card">
        <div className="flex flex-wrap items-center gap-2 px-4 pt-3 pb-3">
          <h2 id="members-heading" className="mr-auto text-[13px] font-semibold">
            People and service accounts
          </h2>
          <InviteForm onInvited={setLink} />
        </div>
        {link !== null && (
          <ShownOnce
            title="Send this link; it works once, for three days"
            secret={window.location.origin + link.path}
          />
        )}
        {error !== null && data === undefined && (
          <div className="px-4 pb-4">
            <Problem title="The members could not be read" error={error} onRetry={() => void members.refetch()} />
          </div>
        )}
        {error === null && data === undefined && <Skeleton className="mx-4 mb-4 h-24" />}
        {data !== undefined && <MemberTable members={data} onLink={setLink} />}
      </section>
      <ReadTokens />
    </div>
  );
}
