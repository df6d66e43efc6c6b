import { setTimeout as delay } from 'node:timers/promises';
import { ApportionError } from '#terms';
import { quote } from './bind.ts';
import type { Connection } from './connection.ts';

const POLL_MS = 100;

/**
 * Resolves when no rows of the table are being rewritten, or at once when `signal` says that nobody waits any more: the engine goes on then, at the next
 * start if need be. Asked again and again instead of waited for in the engine, so that others can use the line between two questions.
 */
export async function untilRewritten(connection: Connection, table: string, signal?: AbortSignal): Promise<void> {
  const here = `database = currentDatabase() AND table = ${quote(table)}`;
  for (;;) {
    if (signal?.aborted === true) return;
    const running = await connection.rows<{ id: string; reason: string }>(
      `SELECT mutation_id AS id, latest_fail_reason AS reason FROM system.mutations WHERE ${here} AND NOT is_done`,
    );
    const failed = running.find(({ reason }) => reason !== '');
    if (failed !== undefined) {
      await connection.run(`KILL MUTATION WHERE ${here} AND mutation_id = '${failed.id}'`);
      throw new ApportionError('ledger_unavailable', 'The store could not rewrite rows.', {
        cause: new Error(failed.reason),
      });
    }
    if (running.length === 0) return;
    await delay(POLL_MS);
  }
}
