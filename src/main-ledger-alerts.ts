import { randomBytes } from 'node:crypto';
import type { Accounts } from '#accounts';
import { openAlerts, type Alerts, type Health } from '#alerts';
import type { StoreReader } from '#analytics';
import type { Standing } from '#budgets';
import type { Config } from '#config';
import type { Shipper } from '#ledger/store';
import type { Log } from '#observe';
import { systemClock } from '#std';

export type AlertParts = {
  readonly config: Config;
  readonly log: Log;
  readonly accounts: Accounts;
  readonly reports: StoreReader;
  readonly nodeId: string;
  readonly shipper: Shipper;
  readonly standings: () => Promise<readonly Standing[] | null>;
};

/** Alerts, looking at reports, budgets and shipping from now on. */
export async function startAlerts(parts: AlertParts): Promise<Alerts> {
  const { config, log, accounts, reports, nodeId, shipper, standings } = parts;
  const { allowPrivateTargets: allowPrivate, allowedHosts, mail } = config.alerts;
  const startedAt = systemClock.now();
  const alerts = await openAlerts({
    control: accounts.database,
    audit: accounts.audit,
    store: reports,
    budgets: () => accounts.budgets.list(),
    standings,
    health: () => healthOf(shipper, startedAt),
    clock: systemClock,
    random: randomBytes,
    log,
    owner: nodeId,
    policy: { allowPrivate, allowedHosts },
    mail,
  });
  await alerts.start();
  return alerts;
}

function healthOf(shipper: Shipper, startedAt: number): Health {
  const { waiting, quarantined, failing } = shipper.state();
  const lagMs = waiting === 0 ? 0 : systemClock.now() - (shipper.asOf().at ?? startedAt);
  return { waiting, lagMs, quarantined, journal: null, store: failing };
}
