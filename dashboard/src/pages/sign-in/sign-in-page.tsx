import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { ApiError } from '../../api/client.ts';
import { sessionQuery, signIn, type Credentials } from '../../api/session.ts';
import { Logo } from '../../shell/logo.tsx';
import { Button } from '../../ui/button.tsx';
import { wordsOf } from './refusals.ts';
import { SecretField } from './secret-field.tsx';

const route = getRouteApi('/ui/sign-in');

/** With e-mail and password where anybody has one, and always with the admin key. */
export function SignInPage() {
  const { next, problem: refusal } = route.useSearch();
  const router = useRouter();
  const queryClient = useQueryClient();
  const { data: session } = useQuery(sessionQuery);
  const [by, setBy] = useState<'key' | 'password' | null>(null);
  const way = by ?? (session?.passwords === true ? 'password' : 'key');
  const enter = useMutation({
    mutationFn: (credentials: Credentials) => signIn(credentials),
    onSuccess: (signedIn) => {
      queryClient.setQueryData(sessionQuery.queryKey, signedIn);
      router.history.push(next === '' ? '/ui/overview' : next);
    },
  });
  const switchTo = (other: 'key' | 'password'): void => {
    enter.reset();
    setBy(other);
  };
  const problem = enter.isError ? problemOf(enter.error, way) : null;
  return (
    <main className="mx-auto flex min-h-screen w-full max-w-sm flex-col justify-center px-5 pb-24">
      <Logo name="always" />
      <h1 className="mt-8 text-xl font-semibold tracking-tight">Sign in</h1>
      {typeof session?.elsewhere === 'string' && <Elsewhere name={session.elsewhere} next={next} />}
      {refusal !== undefined && (
        <p role="alert" className="mt-3 text-[13px] text-bad">
          {wordsOf(refusal)}
        </p>
      )}
      {way === 'key' ? (
        <KeyForm problem={problem} onEnter={enter.mutate} state={enter.isPending ? 'busy' : 'ready'} />
      ) : (
        <PasswordForm problem={problem} onEnter={enter.mutate} state={enter.isPending ? 'busy' : 'ready'} />
      )}
      {session?.passwords === true && (
        <Button look="quiet" className="mt-3 self-start" onClick={() => switchTo(way === 'key' ? 'password' : 'key')}>
          {way === 'key' ? 'Use e-mail and password' : 'Use the admin key'}
        </Button>
      )}
    </main>
  );
}

/** A link, as it leaves this page: the provider shows its own. */
function Elsewhere({ name, next }: { readonly name: string; readonly next: string }) {
  const address = `/ui/oidc?next=${encodeURIComponent(next === '' ? '/ui/overview' : next)}`;
  return (
    <>
      <a
        href={address}
        className="mt-6 flex h-9 w-full items-center justify-center rounded-md bg-accent px-3 text-[13px] font-medium text-accent-ink hover:opacity-90"
      >
        Sign in with {name}
      </a>
      <p className="mt-6 border-t border-line pt-1 text-[13px] text-ink-3">or</p>
    </>
  );
}

type FormProps = {
  readonly problem: string | null;
  readonly onEnter: (credentials: Credentials) => void;
  readonly state: 'ready' | 'busy';
};

function KeyForm({ problem, onEnter, state }: FormProps) {
  const [key, setKey] = useState('');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onEnter({ key: key.trim() });
  };
  return (
    <form onSubmit={submit}>
      <p className="mt-1 text-ink-2">The admin key was printed when the gateway first started.</p>
      <SecretField id="key" label="Admin key" value={key} onChange={setKey} problem={problem} focus="first" />
      <Enter state={state} />
    </form>
  );
}

function PasswordForm({ problem, onEnter, state }: FormProps) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onEnter({ email: email.trim(), password });
  };
  return (
    <form onSubmit={submit}>
      <label htmlFor="email" className="mt-6 block text-[13px] font-medium">
        E-mail
      </label>
      <input
        id="email"
        type="email"
        required
        autoComplete="username"
        value={email}
        onChange={(event) => setEmail(event.target.value)}
        className="mt-1.5 h-9 w-full rounded-md border border-line-strong bg-surface px-2.5 text-[13px] shadow-card"
      />
      <SecretField
        id="password"
        label="Password"
        value={password}
        onChange={setPassword}
        problem={problem}
        focus="later"
      />
      <Enter state={state} />
    </form>
  );
}

function Enter({ state }: Pick<FormProps, 'state'>) {
  return (
    <Button type="submit" look="primary" disabled={state === 'busy'} className="mt-4 h-9 w-full">
      {state === 'busy' ? 'Signing in…' : 'Sign in'}
    </Button>
  );
}

function problemOf(error: Error, way: 'key' | 'password'): string {
  if (way === 'password' || !(error instanceof ApiError)) return error.message;
  if (error.status === 401) return 'This is not the admin key. Keys look alike: check that it is not a call key.';
  if (error.status === 403) return 'This key makes calls; it does not open the dashboard. Paste the admin key.';
  return error.message;
}
