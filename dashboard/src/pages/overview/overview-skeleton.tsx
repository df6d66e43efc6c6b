import { Skeleton } from '../../ui/skeleton.tsx';

export function OverviewSkeleton() {
  return (
    <div aria-busy="true" aria-label="Loading the figures" className="space-y-4">
      <div className="grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line md:grid-cols-5">
        {['spend', 'requests', 'tokens', 'rate', 'untagged'].map((name) => (
          <div key={name} className="bg-surface p-4 last:col-span-2 md:last:col-span-1">
            <Skeleton className="h-3 w-16" />
            <Skeleton className="mt-3 h-6 w-24" />
            <Skeleton className="mt-4 h-6 w-full" />
          </div>
        ))}
      </div>
      <div className="rounded-lg border border-line bg-surface p-4">
        <Skeleton className="h-4 w-32" />
        <Skeleton className="mt-4 h-64 w-full" />
      </div>
    </div>
  );
}
