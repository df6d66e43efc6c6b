import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openAccounts } from '#accounts';
import type { Clock } from '#std';

/** Headers by which the running server answers reports, until they are given back. */
export type AdminAccess = { readonly headers: Readonly<Record<string, string>>; close(): Promise<void> };

export type AdminAccessDeps = { readonly dir: string; readonly adminKey: string | null; readonly clock: Clock };

/**
 * The configured admin key, or, where the server made one that nobody can read any more, a session in `control.db`: whoever may write
 * that file could make any key. It ends with the command.
 */
export async function openAdminAccess({ dir, adminKey, clock }: AdminAccessDeps): Promise<AdminAccess> {
  if (adminKey !== null) return { headers: { authorization: `Bearer ${adminKey}` }, close: () => Promise.resolve() };
  const accounts = await openAccounts({ file: join(dir, 'control.db'), clock, random: randomBytes });
  const { token } = await accounts.createUiSession();
  return {
    headers: { cookie: `apportion_session=${token}` },
    async close() {
      await accounts.endUiSession(token);
      await accounts.close();
    },
  };
}
