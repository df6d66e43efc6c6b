import { agedOut } from '#analytics';
import { correctionEntry, standsAlready, type EntryRecord, type Standing } from '#ledger';
import type { Prices } from '#pricing';
import { ApportionError, formatUsd, type PicoUsd } from '#terms';
import { audited } from './audited.ts';
import { entriesOfCall, withStandings, type Stood } from './entry-standings.ts';
import type { JobDeps, NewEntry } from './job-deps.ts';
import { attemptOf, besideUsage, readUsageOf } from './reprice-entry.ts';
import { costStated, type Resolved } from './resolution-cost.ts';
import type { ResolveRequest, WireResolution } from './resolution-request.ts';

/** Ends the doubt about one call. What stands already is found and not booked again. */
export async function resolveOne(deps: JobDeps, request: ResolveRequest): Promise<WireResolution> {
  await deps.untilStored();
  const stood = await findDoubtful(deps, request);
  const { entry, standing } = stood;
  const prices = deps.prices();
  const resolved = resolvedBy({ ...deps, prices }, stood, request);
  if (standsAlready(standing, resolved.rated, resolved.meters)) return toWire(stood, resolved, null);
  if (!isOpen(standing)) throw known(entry, standing);
  const correction = correctionOf(stood, resolved, { priceBook: prices.version, now: deps.clock.now() });
  const detail = { reason: request.reason, ...detailOf(stood, resolved) };
  return audited(
    deps,
    { actor: request.actor, action: 'resolve', target: correction.id, detail },
    {
      work: async () => {
        await deps.append([correction]);
        // Who asks for a report next finds what was said to be done.
        await deps.untilStored();
        return toWire(stood, resolved, correction);
      },
      outcome: () => ({ applied: 1 }),
    },
  );
}

export function correctionOf(
  { entry: original, standing }: Stood,
  { rated, meters, reason, told }: Resolved,
  { priceBook, now }: { readonly priceBook: string; readonly now: ReturnType<JobDeps['clock']['now']> },
): NewEntry {
  const { entryId, entry } = correctionEntry({
    original,
    standing,
    rated,
    meters,
    postedAt: now,
    reason,
    priceBook,
    ...(told === undefined ? {} : { told }),
  });
  return { id: entryId, body: entry };
}

/** A cost that usage and prices make, or that the provider said, is not in doubt. */
function isOpen({ state }: Standing): boolean {
  return state !== 'exact' && state !== 'reported';
}

/** The entry that is named, or the one attempt of the call that is open. */
async function findDoubtful(deps: JobDeps, { id }: ResolveRequest): Promise<Stood> {
  const reading = { store: deps.store, asOf: deps.store.asOf() };
  const [callId = ''] = id.split('.');
  const entries = await entriesOfCall(reading, callId);
  const named = entries.find(({ entryId }) => entryId === id);
  const wanted = named === undefined || named.kind === 'attempt' ? id : named.corrects;
  const attempts = entries.filter(({ kind, entryId }) => kind === 'attempt' && (id === callId || entryId === wanted));
  const stood = await withStandings(reading, attempts);
  const open = stood.filter(({ standing }) => isOpen(standing));
  if (open.length > 1) throw several(callId, open);
  // None is open: then it may be asked for again.
  const found = open[0] ?? stood.at(-1);
  if (found !== undefined) return found;
  throw new ApportionError('not_found', `There is no event "${id}".`, {
    param: 'id',
    hint: `Give a call id (call_…) or an entry id, as GET /v1/in-doubt lists them.${agedOut(deps, 'Calls whose cost is known and')}`,
  });
}

function several(callId: string, open: readonly Stood[]): ApportionError {
  return new ApportionError('conflict', `${open.length} attempts of ${callId} are open: say which one.`, {
    param: 'id',
    hint: `Name the entry: ${open.map(({ entry }) => entry.entryId).join(', ')}.`,
  });
}

function known(entry: EntryRecord, { state, cost }: Standing): ApportionError {
  const amount = cost === null ? 'unknown' : formatUsd(cost);
  return new ApportionError('conflict', `What ${entry.callId} cost is known: ${amount}, ${state}.`, {
    param: 'id',
    hint: 'To move money beside it, POST /v1/adjustments with its entry_id and the difference.',
  });
}

function resolvedBy(
  deps: Omit<JobDeps, 'prices'> & { readonly prices: Prices },
  { entry, standing }: Stood,
  { resolution }: ResolveRequest,
): Resolved {
  const { prices } = deps;
  if (resolution.kind === 'cost') {
    return costStated({ prices, entry, standing }, resolution.cost, 'resolved_cost');
  }
  const read = readUsageOf(deps, entry, resolution.usage);
  if (read === null) {
    throw new ApportionError(
      'invalid_field',
      `usage: nothing is found in it that ${entry.wire || 'the call'} reports.`,
      {
        param: 'usage',
        hint: 'Send the usage object as the provider states it for this format, or cost_usd.',
      },
    );
  }
  const usage = besideUsage(entry, read);
  const rated = prices.price(usage, attemptOf(entry));
  if (rated.cost === null) {
    throw new ApportionError('conflict', `There is no price for ${entry.provider}/${entry.model}.`, {
      param: 'usage',
      hint: 'Say its price with POST /v1/prices, or what the call cost with cost_usd.',
    });
  }
  const raw = usage.raw === '' ? JSON.stringify(resolution.usage) : usage.raw;
  return { rated, meters: usage.meters, reason: 'resolved_usage', told: { origin: 'reported', raw } };
}

function detailOf({ entry, standing }: Stood, { rated, reason }: Resolved): Readonly<Record<string, unknown>> {
  return {
    by: reason,
    entry_id: entry.entryId,
    old_state: standing.state,
    cost_state: rated.state,
    old_cost_exact: exactOrNull(standing.cost),
    cost_usd_exact: exactOrNull(rated.cost),
  };
}

function toWire({ entry, standing }: Stood, { rated, meters }: Resolved, correction: NewEntry | null): WireResolution {
  return {
    object: 'resolution',
    call_id: entry.callId,
    entry_id: entry.entryId,
    correction_id: correction === null ? null : correction.id,
    applied: correction === null ? 0 : 1,
    old_state: standing.state,
    cost_state: rated.state,
    old_cost_exact: exactOrNull(standing.cost),
    cost_usd_exact: exactOrNull(rated.cost),
    billed_usd_exact: exactOrNull(rated.billed),
    list_cost_usd_exact: exactOrNull(rated.listCost),
    at_risk_before_exact: exactOrNull(standing.atRisk),
    meters: { ...meters },
  };
}

function exactOrNull(amount: PicoUsd | null): string | null {
  return amount === null ? null : formatUsd(amount);
}
