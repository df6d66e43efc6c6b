import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { sessionQuery, signIn } from '../../api/session.ts';
import { Logo } from '../../shell/logo.tsx';
import { Button } from '../../ui/button.tsx';
import { SecretField } from './secret-field.tsx';

/** Where the link of an invitation leads: one chooses a password and is in. */
export function WelcomePage() {
  const router = useRouter();
  const queryClient = useQueryClient();
  const [password, setPassword] = useState('');
  const token = router.state.location.hash;
  const enter = useMutation({
    mutationFn: () => signIn({ token, password }),
    onSuccess: (signedIn) => {
      queryClient.clear();
      queryClient.setQueryData(sessionQuery.queryKey, signedIn);
      // The link is used up: going back must not lead to it.
      router.history.replace('/ui/overview');
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    enter.mutate();
  };
  return (
    <main className="mx-auto flex min-h-screen w-full max-w-sm flex-col justify-center px-5 pb-24">
      <Logo name="always" />
      <h1 className="mt-8 text-xl font-semibold tracking-tight">Choose a password</h1>
      <p className="mt-1 text-ink-2">At least 12 characters: several words that do not belong together will do.</p>
      <form onSubmit={submit}>
        <SecretField
          id="new-password"
          label="New password"
          value={password}
          onChange={setPassword}
          problem={enter.error?.message ?? null}
          focus="first"
          autoComplete="new-password"
        />
        <Button type="submit" look="primary" disabled={enter.isPending} className="mt-4 h-9 w-full">
          {enter.isPending ? 'Signing in…' : 'Set the password and sign in'}
        </Button>
      </form>
    </main>
  );
}
