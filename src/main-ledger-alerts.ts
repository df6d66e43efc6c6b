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
  const { config, log, accounts, reports, nodeId, standings } = parts;
  const { allowPrivateTargets: allowPrivate, allowedHosts, mail } = config.alerts;
  const alerts = await openAlerts({
    control: accounts.database,
    audit: accounts.audit,
    store: reports,
    budgets: () => accounts.budgets.list(),
    standings,
    health: watchHealth(parts),
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

/** Whoever counts for budgets writes the journal. One answer that does not come is a busy machine, two in a row are trouble. */
function watchHealth({ shipper, standings }: AlertParts): () => Promise<Health> {
  const startedAt = systemClock.now();
  let unanswered = 0;
  return async () => {
    unanswered = (await standings()) === null ? unanswered + 1 : 0;
    const { waiting, quarantined, failing } = shipper.state();
    const lagMs = waiting === 0 ? 0 : systemClock.now() - (shipper.asOf().at ?? startedAt);
    return { waiting, lagMs, quarantined, journal: unanswered < 2 ? 'well' : 'silent', store: failing };
  };
}
