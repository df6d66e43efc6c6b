import type { StoreReader } from '#analytics';
import { correctionEntry } from '#ledger';
import type { Prices } from '#pricing';
import type { Clock } from '#std';
import type { EntryId } from '#terms';
import { pagesOf, type Priced } from './reprice-entries.ts';
import { repriceEntry, type RepriceDeps } from './reprice-entry.ts';
import { RepriceFigures } from './reprice-figures.ts';
import type { RepriceRequest, Repricing, WireRepricing } from './reprice-request.ts';

/** Where it is written down who changed what about money. */
export type AuditLog = {
  record(event: {
    readonly actor: string;
    readonly action: string;
    readonly target: string;
    readonly detail: Readonly<Record<string, unknown>>;
  }): Promise<unknown>;
};

export type RepricingDeps = Omit<RepriceDeps, 'prices'> & {
  readonly store: StoreReader;
  /** The prices in force now, taken once per job. */
  readonly prices: () => Prices;
  /** Resolves when the entries are on disk. */
  readonly append: (entries: readonly { readonly id: EntryId; readonly body: string }[]) => Promise<unknown>;
  /** Resolves when everything durable is in the store; rejects when that takes too long. */
  readonly untilStored: () => Promise<void>;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly newId: () => string;
};

/** Corrections that go to the journal together. */
const TOGETHER = 500;

export function createRepricing(deps: RepricingDeps): Repricing {
  let last: Promise<unknown> = Promise.resolve();
  // One after another: two that look at the same entry would both correct it.
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work);
    last = turn;
    return turn;
  };
  return {
    preview: (request) => inTurn(() => run({ ...deps, prices: deps.prices() }, request, 'preview')),
    apply: (request) => inTurn(() => apply(deps, request)),
  };
}

type Run = Omit<RepricingDeps, 'prices'> & { readonly prices: Prices };

/** Written down before the first correction with what it will do, and after the last with what it did. */
async function apply(deps: RepricingDeps, request: RepriceRequest): Promise<WireRepricing> {
  const one: Run = { ...deps, prices: deps.prices() };
  const { actor } = request;
  const preview = await run(one, request, 'preview');
  const detail = { ...toDetail(request), preview: figuresOf(preview) };
  await deps.audit.record({ actor, action: 'reprice.begin', target: preview.id, detail });
  try {
    const applied = { ...(await run(one, request, 'apply')), id: preview.id };
    const figures = { ...detail, applied: figuresOf(applied) };
    await deps.audit.record({ actor, action: 'reprice.apply', target: preview.id, detail: figures });
    return applied;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    await deps.audit.record({ actor, action: 'reprice.fail', target: preview.id, detail: { ...detail, problem } });
    throw error;
  }
}

async function run(deps: Run, request: RepriceRequest, mode: 'preview' | 'apply'): Promise<WireRepricing> {
  await deps.untilStored();
  const figures = new RepriceFigures();
  let applied = 0;
  for await (const page of pagesOf(deps.store, request)) {
    const corrections = page.flatMap((priced) => correctionOf(deps, priced, figures));
    if (mode === 'preview') continue;
    for (let at = 0; at < corrections.length; at += TOGETHER) {
      const some = corrections.slice(at, at + TOGETHER);
      await deps.append(some);
      applied += some.length;
    }
  }
  // Who asks for a report next finds what was said to be done.
  if (applied > 0) await deps.untilStored();
  return { id: deps.newId(), mode, price_book: deps.prices.version, ...figures.toWire(), applied };
}

function correctionOf(
  deps: Run,
  { entry, standing }: Priced,
  figures: RepriceFigures,
): readonly { readonly id: EntryId; readonly body: string }[] {
  const repriced = repriceEntry(deps, entry, standing);
  figures.add(entry, standing, repriced);
  if (repriced.is !== 'changed') return [];
  const { entryId, entry: body } = correctionEntry({
    original: entry,
    standing,
    rated: repriced.rated,
    meters: repriced.meters,
    postedAt: deps.clock.now(),
    reason: 'repriced',
    priceBook: deps.prices.version,
  });
  return [{ id: entryId, body }];
}

function toDetail({ from, to, provider, model, states, reason }: RepriceRequest): Readonly<Record<string, unknown>> {
  return {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    provider,
    model,
    states,
    reason,
  };
}

/** Without single entries: the journal has those. */
function figuresOf(repricing: WireRepricing): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(repricing).filter(([name]) => name !== 'largest'));
}
