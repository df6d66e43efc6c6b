import { queryOptions, useQuery } from '@tanstack/react-query';
import * as z from 'zod/mini';
import { ApiError, read, send } from './client.ts';

const userSchema = z.object({
  id: z.string(),
  name: z.string(),
  email: z.nullable(z.string()),
  role: z.string(),
  teams: z.array(z.string()),
  rights: z.array(z.string()),
});

const sessionSchema = z.object({
  authenticated: z.boolean(),
  user: z.nullish(userSchema),
  /** Whether anybody signs in with a password; only said to whoever is not signed in. */
  passwords: z.optional(z.boolean()),
  /** Where people may sign in instead; only said to whoever is not signed in. */
  oidc: z.nullish(z.object({ name: z.string() })),
});

type Session = {
  readonly user: z.infer<typeof userSchema> | null;
  readonly passwords: boolean;
  /** The name of a provider where people may sign in; null for none. */
  readonly elsewhere: string | null;
};

/** Who this browser is signed in as. The cookie itself is out of reach of scripts. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }): Promise<Session> => {
    const session = await read('/ui/session', sessionSchema, signal).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 401) return { authenticated: false };
      throw error;
    });
    return toSession(session);
  },
  staleTime: Number.POSITIVE_INFINITY,
});

function toSession({ authenticated, user, passwords = false, oidc }: z.infer<typeof sessionSchema>): Session {
  return { user: authenticated ? (user ?? null) : null, passwords, elsewhere: oidc?.name ?? null };
}

export type Credentials =
  | { readonly key: string }
  | { readonly email: string; readonly password: string }
  /** The token of an invitation, and the password that is chosen with it. */
  | { readonly token: string; readonly password: string };

export async function signIn(credentials: Credentials): Promise<Session> {
  const path = 'token' in credentials ? '/ui/invitation' : '/ui/session';
  const answer = await send(path, { method: 'POST', body: credentials });
  return toSession(sessionSchema.parse(await answer.json()));
}

export async function signOut(): Promise<void> {
  await send('/ui/session', { method: 'DELETE' });
}

/** Whether to show what only some may do; the gateway refuses it to the others anyway. */
export function useRight(right: string): boolean {
  const { data } = useQuery(sessionQuery);
  return data?.user?.rights.includes(right) ?? false;
}
