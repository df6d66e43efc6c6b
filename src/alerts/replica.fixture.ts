import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Ask } from './replica-main.fixture.ts';

/** A process with alerts of its own on a shared database file. */
export type Replica = {
  look(ask: Ask): Promise<void>;
  /** Asks without waiting for the end. */
  begin(ask: Ask): void;
  kill(): Promise<void>;
  close(): Promise<void>;
};

export async function startReplica(file: string, owner: string): Promise<Replica> {
  const child = fork(join(import.meta.dirname, 'replica-main.fixture.ts'), [file, owner]);
  const ended = once(child, 'exit');
  await Promise.race([once(child, 'message'), ended.then(() => Promise.reject(new Error('the replica ended')))]);
  return {
    look: async (ask) => {
      const done = once(child, 'message');
      child.send(ask);
      await done;
    },
    begin: (ask) => void child.send(ask),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    close: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
