import { Link, type ErrorComponentProps } from '@tanstack/react-router';
import { parseSearch } from '../search/search.ts';
import { Problem } from '../ui/problem.tsx';

export function MissingPage() {
  return (
    <main className="mx-auto flex min-h-screen max-w-md flex-col justify-center gap-3 p-6">
      <h1 className="text-lg font-semibold">There is no such page</h1>
      <p className="text-ink-2">The address may be mistyped, or from another version of the dashboard.</p>
      <Link to="/ui/overview" search={parseSearch({})} className="text-accent underline underline-offset-4">
        Go to the overview
      </Link>
    </main>
  );
}

export function BrokenPage({ error, reset }: ErrorComponentProps) {
  return (
    <main className="mx-auto flex min-h-screen max-w-lg flex-col justify-center p-6">
      <Problem
        title="This page could not be shown"
        error={error instanceof Error ? error : new Error(String(error))}
        onRetry={reset}
      />
    </main>
  );
}
