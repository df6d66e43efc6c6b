import { randomBytes } from 'node:crypto';
import type { Accounts } from '#accounts';
import { openAlerts, type Alerts, type Health, type TargetPolicy } from '#alerts';
import type { StoreReader } from '#analytics';
import { systemClock } from '#std';
import { SILENT } from './silent.fixture.ts';

const WELL: Health = { waiting: 0, lagMs: 0, quarantined: 0, journal: 'well', store: null };

const STRICT: TargetPolicy = { allowPrivate: false, allowedHosts: [] };

export type GivenAlerts = {
  readonly alertTargets?: TargetPolicy;
  readonly mail?: { readonly url: string; readonly from: string };
};

/** Alerts that look at nothing by themselves: nobody starts them. */
export function openAlertsOn(accounts: Accounts, store: StoreReader, given: GivenAlerts = {}): Promise<Alerts> {
  return openAlerts({
    control: accounts.database,
    audit: accounts.audit,
    store,
    budgets: () => accounts.budgets.list(),
    standings: async () => null,
    health: async () => WELL,
    clock: systemClock,
    random: randomBytes,
    log: SILENT,
    owner: 'node',
    policy: given.alertTargets ?? STRICT,
    mail: given.mail ?? null,
  });
}
