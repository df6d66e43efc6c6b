import { correctionEntry } from '#ledger';
import type { Prices } from '#pricing';
import { audited } from './audited.ts';
import { TOGETHER, type JobDeps, type NewEntry } from './job-deps.ts';
import type { Stood } from './entry-standings.ts';
import { countWithoutDetail, pagesOf } from './reprice-entries.ts';
import { repriceEntry } from './reprice-entry.ts';
import { RepriceFigures } from './reprice-figures.ts';
import type { RepriceRequest, Repricing, WireRepricing } from './reprice-request.ts';

export function createRepricing(deps: JobDeps): Repricing {
  return {
    preview: (request) => deps.inTurn(() => run({ ...deps, prices: deps.prices() }, request, 'preview')),
    apply: (request) => deps.inTurn(() => apply(deps, request)),
  };
}

type Run = Omit<JobDeps, 'prices'> & { readonly prices: Prices };

/** Written down before the first correction with what it will do, and after the last with what it did. */
async function apply(deps: JobDeps, request: RepriceRequest): Promise<WireRepricing> {
  const one: Run = { ...deps, prices: deps.prices() };
  const preview = await run(one, request, 'preview');
  const detail = { ...toDetail(request), preview: figuresOf(preview) };
  return audited(
    deps,
    { actor: request.actor, action: 'reprice', target: preview.id, detail },
    {
      work: async () => ({ ...(await run(one, request, 'apply')), id: preview.id }),
      outcome: (applied) => ({ applied: figuresOf(applied) }),
    },
  );
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
  const without_detail = await countWithoutDetail(deps.store, request);
  return {
    id: deps.newId('reprice'),
    mode,
    price_book: deps.prices.version,
    ...figures.toWire(),
    without_detail,
    applied,
  };
}

function correctionOf(deps: Run, { entry, standing }: Stood, figures: RepriceFigures): readonly NewEntry[] {
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
