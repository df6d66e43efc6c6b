import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { ApiError } from '../../api/client.ts';
import { sessionQuery, signIn } from '../../api/session.ts';
import { Logo } from '../../shell/logo.tsx';
import { Button } from '../../ui/button.tsx';

const route = getRouteApi('/ui/sign-in');

export function SignInPage() {
  const { next } = route.useSearch();
  const router = useRouter();
  const queryClient = useQueryClient();
  const [key, setKey] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const enter = useMutation({
    mutationFn: signIn,
    onSuccess: () => {
      queryClient.setQueryData(sessionQuery.queryKey, true);
      router.history.push(next === '' ? '/ui/overview' : next);
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    enter.mutate(key.trim());
  };
  return (
    <main className="mx-auto flex min-h-screen w-full max-w-sm flex-col justify-center px-5 pb-24">
      <Logo name="always" />
      <h1 className="mt-8 text-xl font-semibold tracking-tight">Sign in</h1>
      <p className="mt-1 text-ink-2">The admin key was printed when the gateway first started.</p>
      <form onSubmit={submit} className="mt-6">
        <label htmlFor="key" className="text-[13px] font-medium">
          Admin key
        </label>
        <input
          id="key"
          type="password"
          required
          ref={field}
          autoComplete="current-password"
          spellCheck={false}
          value={key}
          onChange={(event) => setKey(event.target.value)}
          aria-invalid={enter.isError}
          aria-describedby={enter.isError ? 'key-problem' : undefined}
          className="mt-1.5 h-9 w-full rounded-md border border-line-strong bg-surface px-2.5 font-mono text-[13px] shadow-card aria-invalid:border-bad"
        />
        {enter.isError && (
          <p id="key-problem" role="alert" className="mt-2 text-[13px] text-bad">
            {problemOf(enter.error)}
          </p>
        )}
        <Button
          type="submit"
          look="primary"
          disabled={enter.isPending || key.trim() === ''}
          className="mt-4 h-9 w-full"
        >
          {enter.isPending ? 'Signing in…' : 'Sign in'}
        </Button>
      </form>
    </main>
  );
}

function problemOf(error: Error): string {
  if (error instanceof ApiError && error.status === 401)
    return 'This is not the admin key. Keys look alike: check that it is not a call key.';
  if (error instanceof ApiError && error.status === 403)
    return 'This key makes calls; it does not open the dashboard. Paste the admin key.';
  return error.message;
}
