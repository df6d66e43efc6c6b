import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openAccounts, writeSnapshot } from '#accounts';
import { readLockHolder } from '#ledger';
import { ApportionError } from '#terms';
import { readOptions, UsageError, type Command, type CommandDeps, type ExitCode } from './command.ts';
import { refuseForeignRoot } from './owner.ts';
import { serverState } from './server-state.ts';
import { readSettings } from './settings.ts';

export const keys: Command = {
  usage: ['keys reset-admin [--data-dir DIR]'],
  says: 'Makes a new admin key and shows it once; the lost one stops working. With the server running or stopped.',
  async run(args, deps) {
    const { values, positionals } = readOptions(args, { 'data-dir': { type: 'string' } });
    if (positionals.length !== 1 || positionals[0] !== 'reset-admin') throw new UsageError('What about keys?');
    const { dataDir, adminKey } = readSettings(values['data-dir']);
    if (adminKey !== null) {
      deps.terminal.complain(
        'The admin key is the one in APPORTION_ADMIN_KEY. Change it there, and restart the server.',
      );
      return 1;
    }
    return resetAdmin(dataDir, deps);
  },
};

/** Who has the files may have the key: the ledger must not be lost with it. */
async function resetAdmin(dir: string, { terminal, clock }: CommandDeps): Promise<ExitCode> {
  const file = join(dir, 'control.db');
  if (!existsSync(file))
    throw new ApportionError('not_found', `${dir} has no control.db.`, {
      hint: 'Name the data directory with --data-dir; the first start makes the first admin key.',
    });
  refuseForeignRoot(dir);
  const server = await serverState(dir);
  try {
    const accounts = await openAccounts({ file, clock, random: randomBytes });
    let key: string;
    try {
      key = await accounts.resetAdminKey('command_line');
      // Of a running server the ledger process writes it, when it starts again.
      if (server.is === 'stopped') await writeSnapshot(join(dir, 'control-snapshot.json'), await accounts.snapshot());
    } finally {
      await accounts.close();
    }
    terminal.say(`New admin key, shown only now: ${key}`);
    if (server.is === 'stopped') return 0;
    if (await takeOver(dir, { url: server.url, key })) {
      terminal.say('The running server knows it. Calls went on; reports paused for a moment.');
      return 0;
    }
    terminal.complain('The running server does not know it yet: restart the server.');
    return 1;
  } finally {
    if (server.is === 'stopped') server.release();
  }
}

const TAKE_OVER_MS = 30_000;
const ASK_AGAIN_MS = 100;

/** The ledger process tells gateways all keys when it starts, and is started again when it ends; calls do not wait for it. */
async function takeOver(
  dir: string,
  { url, key }: { readonly url: string | null; readonly key: string },
): Promise<boolean> {
  const ledger = readLockHolder(join(dir, 'store', 'lock.db'));
  if (url === null || ledger === undefined || ledger.role !== 'ledger' || ledger.host !== hostname()) return false;
  end(ledger.pid);
  const deadline = AbortSignal.timeout(TAKE_OVER_MS);
  while (!deadline.aborted) {
    if (await isKnown(url, key)) return true;
    await delay(ASK_AGAIN_MS);
  }
  return false;
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    // It is gone already, and the next one reads the new key.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

async function isKnown(url: string, key: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/v1/audit?limit=1`, {
      headers: { authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(TAKE_OVER_MS),
    });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    // While the ledger process starts, nobody answers.
    return false;
  }
}
