import { setTimeout as wait } from 'node:timers/promises';

const STEP_MS = 25;

/**
 * Asks another process again and again until it says something other than `undefined`. Only for what gives no event to
 * wait on.
 */
export async function until<T>(what: string, timeoutMs: number, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const said = await ask();
    if (said !== undefined) return said;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await wait(STEP_MS);
  }
}
