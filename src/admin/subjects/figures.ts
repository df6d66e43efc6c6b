import { toFigures, type Accounts, type FiguresOf, type SubjectKind } from '#accounts';
import { costs, parseCostsQuery, parseSpendTagsQuery, spendTags, type StoreReader } from '#analytics';
import type { Standing } from '#budgets';
import type { Log } from '#observe';
import type { Clock } from '#std';
import { parseUsd, ZERO_USD, type PicoUsd } from '#terms';
import type { Standings } from '../budgets/standings.ts';

export type FigureDeps = {
  readonly accounts: Accounts;
  readonly store: StoreReader;
  readonly clock: Clock;
  readonly standings: Standings;
  readonly log: Log;
};

/** What subjects spent, by their ids; null for what nobody can say. */
type Totals = (id: string) => PicoUsd | null;

/**
 * Budgets, limits and spending of subjects of these kinds. What has a budget has spent what that counts now; the others
 * what the ledger has of them.
 */
export async function loadFigures(deps: FigureDeps, kinds: readonly SubjectKind[]): Promise<FiguresOf> {
  const standings = await deps.standings();
  const byBudget = new Map((standings ?? []).map((one): [string, Standing] => [one.budgetId, one]));
  const known = await Promise.all(
    kinds.map(async (kind) => {
      const terms = await deps.accounts.subjects.termsOf(kind);
      return [kind, { terms, totals: await totalsOf(deps, kind) }] as const;
    }),
  );
  const byKind = new Map(known);
  const now = deps.clock.now();
  return ({ kind, id }) => {
    const terms = byKind.get(kind)?.terms.get(id);
    const isCounted = terms !== undefined && terms.maxBudget !== null;
    const total = byKind.get(kind)?.totals(id) ?? null;
    if (!isCounted) return toFigures(terms, { spend: total, now });
    const counted = byBudget.get(`${kind}:${id}:max`)?.spent;
    const spend = counted ?? (standings === null ? null : ZERO_USD);
    return toFigures(terms, { spend, now });
  };
}

/** For what was made this moment: it has spent nothing. */
export async function freshFigures(deps: FigureDeps, kind: SubjectKind): Promise<FiguresOf> {
  const terms = await deps.accounts.subjects.termsOf(kind);
  const now = deps.clock.now();
  return ({ id }) => toFigures(terms.get(id), { spend: ZERO_USD, now });
}

const GROUPS: Readonly<Record<Exclude<SubjectKind, 'tag'>, string>> = {
  key: 'key.id',
  team: 'key.team',
  user: 'key.owner',
  customer: 'tags.customer',
};

/** Before any ledger. */
const EVER = '1970-01-01';

/** Longer than a report takes; keys are administered also while the store does not answer. */
const ANSWER_MS = 2_000;

async function totalsOf(deps: FigureDeps, kind: SubjectKind): Promise<Totals> {
  try {
    return await readTotals(deps, kind, AbortSignal.timeout(ANSWER_MS));
  } catch (error) {
    deps.log.warn({ err: error, kind }, 'what was spent is not known: the store does not answer');
    return () => null;
  }
}

async function readTotals(deps: FigureDeps, kind: SubjectKind, signal: AbortSignal): Promise<Totals> {
  if (kind === 'tag') {
    const seen = await spendTags(deps, parseSpendTagsQuery({}, deps.clock.now()), signal);
    const byTag = new Map(seen.map((one) => [one.individual_request_tag, parseUsd(one.total_spend_exact)]));
    return (id) => byTag.get(id) ?? ZERO_USD;
  }
  const query = parseCostsQuery({ start_date: EVER, group_by: GROUPS[kind], limit: '10000' }, deps.clock.now());
  const { data, truncated } = await costs(deps, query, signal);
  const named = data.filter(({ untagged, other }) => !untagged && !other);
  const byValue = new Map(named.map((one) => [one.value, parseUsd(one.total_cost_exact)]));
  return (id) => byValue.get(id) ?? (truncated ? null : ZERO_USD);
}
