import { queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';
import { ApiError, read, send } from './client.ts';

const sessionSchema = z.object({ authenticated: z.boolean() });

/** Whether this browser is signed in. The cookie itself is out of reach of scripts. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }) => {
    const session = await read('/ui/session', sessionSchema, signal).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 401) return { authenticated: false };
      throw error;
    });
    return session.authenticated;
  },
  staleTime: Number.POSITIVE_INFINITY,
});

export async function signIn(key: string): Promise<void> {
  await send('/ui/session', { method: 'POST', body: { key } });
}

export async function signOut(): Promise<void> {
  await send('/ui/session', { method: 'DELETE' });
}
