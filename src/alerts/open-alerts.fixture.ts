import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAccounts, type Accounts } from '#accounts';
import type { StoreReader } from '#analytics';
import { systemClock, type Clock, type TimestampMs } from '#std';
import { openAlerts, type Alerts, type AlertsDeps } from './alerts.ts';
import type { Health } from './judge-health.ts';
import { BUDGET } from './standing.fixture.ts';

export const WELL: Health = { waiting: 0, lagMs: 0, quarantined: 0, journal: 'well', store: null };

/** A clock that stands until it is set. */
export type SetClock = Clock & { set(text: string): void; advance(ms: number): void };

export function clockAt(text: string): SetClock {
  let now = Date.parse(text);
  return {
    now: () => now as TimestampMs,
    elapsedMs: () => systemClock.elapsedMs(),
    set: (to) => {
      now = Date.parse(to);
    },
    advance: (ms) => {
      now += ms;
    },
  };
}

const EMPTY_STORE: StoreReader = {
  asOf: () => ({ nodeId: 'node', seq: 0, at: null }),
  query: async () => [],
};

const silent = (): void => undefined;
const SILENT = { info: silent, warn: silent, error: silent };

export type OpenAlerts = { readonly alerts: Alerts; readonly accounts: Accounts; close(): Promise<void> };

/** Alerts on a control database of their own, or on that of `file`; quick to try again. */
export async function openAlertsIn(file: string, given: Partial<AlertsDeps> = {}): Promise<OpenAlerts> {
  const { clock = systemClock } = given;
  const accounts = await openAccounts({ file, clock, random: randomBytes });
  const alerts = await openAlerts({
    control: accounts.database,
    audit: accounts.audit,
    store: EMPTY_STORE,
    budgets: async () => [BUDGET],
    standings: async () => [],
    health: async () => WELL,
    clock,
    random: randomBytes,
    log: SILENT,
    owner: 'node',
    policy: { allowPrivate: true, allowedHosts: [] },
    mail: null,
    timeoutMs: 10_000,
    backoff: { firstMs: 20, mostMs: 100 },
    ...given,
  });
  return {
    alerts,
    accounts,
    close: async () => {
      await alerts.close();
      await accounts.close();
    },
  };
}

export async function temporaryFile(context: { after(work: () => Promise<void>): void }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'apportion-alerts-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return join(directory, 'control.db');
}
