import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { makePrices, parseWhatIf, type PricedAttempt } from '#pricing';
import { findProvider } from '#providers';
import type { TimestampMs } from '#std';
import { formatUsd, parseUsd, type CostState, type Meters, type RatedCost, type Usage } from '#terms';
import { NO_QUIRKS, readUsage } from '#wires';

const file = z.object({
  cases: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      wire: z.string(),
      provider: z.string(),
      model: z.string(),
      context: z.looseObject({ at: z.string().optional() }).optional(),
      usage: z.unknown().optional(),
      events: z.array(z.unknown()).optional(),
      pricing: z.looseObject({}),
      expected: z.object({
        breakdown: z.record(z.string(), z.number()),
        line_items: z.array(z.object({ component: z.string(), cost_usd: z.string() })),
        total_usd: z.string(),
        list_total_usd: z.string().optional(),
        provider_cost_usd: z.string().optional(),
        'total_usd_1e-12_half_even': z.string().optional(),
        provider_reported_usd: z.string().optional(),
        accuracy: z.enum(['exact', 'incomplete', 'unpriced', 'estimated']),
        missing_components: z.array(z.string()).optional(),
      }),
    }),
  ),
});

type Case = z.output<typeof file>['cases'][number];

const golden = file.parse(JSON.parse(readFileSync(new URL('golden-costs.json', import.meta.url), 'utf8')));

for (const one of golden.cases) {
  test(`golden ${one.id} (${one.wire}): ${one.title}`, () => {
    const usage = readCase(one);
    assert.deepEqual(withoutZeros(usage), one.expected.breakdown);
    check(one, priceCase(one, usage));
  });
}

function readCase(one: Case): Usage {
  const { wire, model, usage, events, context } = one;
  const quirks = findProvider(one.provider)?.quirks ?? NO_QUIRKS;
  const read = readUsage({ wire, quirks, model, usage, events, context });
  assert.ok(read !== null, 'the usage is read');
  return read;
}

function priceCase({ pricing, provider, model, context }: Case, usage: Usage): RatedCost {
  const { book, terms } = parseWhatIf(pricing, { provider, model });
  const attempt: PricedAttempt = {
    provider,
    account: provider,
    answered: model,
    asked: model,
    region: '',
    at: Date.parse(context?.at ?? '2026-11-21T00:00:00Z') as TimestampMs,
    payer: { key: '', team: '', dimensions: new Map() },
  };
  return makePrices(book, terms).price(usage, attempt);
}

function check({ expected }: Case, rated: RatedCost): void {
  // A provider that states the cost has no lines of ours to compare; it is told by the one line it has.
  const stated = expected.line_items.some(({ component }) => component === 'reported_cost');
  const state: CostState = stated || expected.provider_reported_usd !== undefined ? 'reported' : expected.accuracy;
  assert.equal(rated.state, state);
  if (!stated) {
    assert.deepEqual(rated.unpricedMeters, expected.missing_components ?? []);
    const lines = rated.charges.map(({ meter, amount }) => `${meter} ${formatUsd(amount)}`);
    const wanted = expected.line_items.map((line) => `${line.component} ${exactUsd(line.cost_usd)}`);
    assert.deepEqual(lines.toSorted(), wanted.toSorted());
    const list = expected.list_total_usd ?? expected.total_usd;
    assert.equal(rated.listCost === null ? null : formatUsd(rated.listCost), state === 'incomplete' ? null : list);
  }
  const billed = expected['total_usd_1e-12_half_even'] ?? expected.total_usd;
  assert.deepEqual(
    [rated.cost, rated.billed].map((amount) => (amount === null ? null : formatUsd(amount))),
    [exactUsd(expected.provider_cost_usd ?? billed), exactUsd(billed)],
  );
}

/** Amounts as the cases write them, without zeros at their end; one with more than twelve places would fail here. */
function exactUsd(text: string): string {
  const exact = parseUsd(text);
  assert.ok(exact !== undefined, text);
  return formatUsd(exact);
}

/** What was read, other models' usage included, by meter. */
function withoutZeros(usage: Usage): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const meters of [usage.meters, ...(usage.others ?? []).map((other) => other.meters)] satisfies Meters[])
    for (const [meter, quantity] of Object.entries(meters))
      if (quantity !== 0) sum[meter] = (sum[meter] ?? 0) + quantity;
  return sum;
}
