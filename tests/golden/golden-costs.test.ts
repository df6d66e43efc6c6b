import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { formatUsd, METERS, parseUsd, type CostState, type Meters, type RatedCost, type Usage } from '#terms';
import { parseOpenAiUsage } from '../providers/openai/usage.ts';
import type { TimestampMs } from '#std';
import { chainHistory } from './history.ts';
import { negotiate } from './negotiated.ts';
import { makePriceBook } from './price-book.ts';
import type { PriceRow } from './price-row.ts';
import { rate } from './rate.ts';

const meter = z.enum(METERS);
const unitPrice = z.object({ amount: z.string(), per: z.number() });
const rates = z.record(z.string(), unitPrice).pipe(z.partialRecord(meter, unitPrice));
const cases = z.object({
  cases: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      wire: z.string(),
      provider: z.string(),
      model: z.string(),
      context: z
        .object({
          response_service_tier: z.string(),
          at: z.string(),
          headers: z.record(z.string(), z.string()),
        })
        .partial()
        .optional(),
      usage: z.unknown().optional(),
      events: z.array(z.object({ usage: z.unknown().optional() })).optional(),
      pricing: z.object({
        rates: rates.optional(),
        history: z.array(z.object({ from: z.string().nullable(), to: z.string().nullable(), rates })).optional(),
        tiers: z.array(z.object({ op: z.enum(['gt', 'gte']), threshold: z.number(), rates })).optional(),
        service_tiers: z
          .record(z.string(), z.union([z.object({ factor: z.string() }), z.object({ rates })]))
          .optional(),
        geo: z.unknown().optional(),
        discount: z.string().optional(),
        markup: z.string().optional(),
      }),
      expected: z.object({
        breakdown: z.record(z.string(), z.number()),
        line_items: z.array(z.object({ component: z.string(), cost_usd: z.string() })),
        total_usd: z.string(),
        list_total_usd: z.string().optional(),
        provider_cost_usd: z.string().optional(),
        'total_usd_1e-12_half_even': z.string().optional(),
        accuracy: z.enum(['exact', 'incomplete', 'unpriced']),
        missing_components: z.array(z.string()).optional(),
      }),
    }),
  ),
});

type Case = z.output<typeof cases>['cases'][number];

const golden = cases.parse(JSON.parse(readFileSync(new URL('../../tests/golden-costs.json', import.meta.url), 'utf8')));

const WIRES = new Set(['openai.chat', 'openai.chat.stream', 'openai.embeddings']);

for (const one of golden.cases) {
  const skip = WIRES.has(one.wire) ? false : 'wire comes with a later issue';
  test(`golden ${one.id} (${one.wire}): ${one.title}`, { skip }, () => {
    const usage = readUsage(one);
    assert.deepEqual(withoutZeros(usage.meters), one.expected.breakdown);
    check(one, rate(usage, findPrice(one)));
  });
}

for (const one of golden.cases.filter(({ wire, pricing }) => !WIRES.has(wire) && pricing.rates !== undefined)) {
  const skip = one.pricing.geo === undefined ? false : 'geography comes with a later issue';
  test(`golden ${one.id}, priced from its breakdown: ${one.title}`, { skip }, () => {
    const meters = z.partialRecord(meter, z.number()).parse(one.expected.breakdown);
    const served =
      one.context?.response_service_tier ??
      z.object({ service_tier: z.string() }).safeParse(one.usage).data?.service_tier;
    const usage: Usage = {
      meters,
      origin: 'reported',
      raw: '',
      ...(served === undefined ? {} : { serviceTier: served }),
    };
    check(one, rate(usage, findPrice(one)));
  });
}

test('P19 discount and markup are taken from the exact list cost in that order, and rounded once', () => {
  const one = golden.cases.find(({ id }) => id === 'neg-01');
  assert.ok(one?.pricing.discount !== undefined && one.pricing.markup !== undefined);
  const list = rate(readUsage(one), findPrice(one)).cost;
  assert.ok(list !== null);
  const { cost, billed } = negotiate(list, { discount: one.pricing.discount, markup: one.pricing.markup });
  assert.equal(formatUsd(list), one.expected.list_total_usd);
  assert.equal(formatUsd(cost), one.expected.provider_cost_usd);
  assert.equal(formatUsd(billed), one.expected['total_usd_1e-12_half_even']);
});

function check(one: Case, rated: RatedCost): void {
  const { expected } = one;
  const reported = expected.line_items[0]?.component === 'reported_cost';
  const state: CostState = reported ? 'reported' : expected.accuracy;
  assert.equal(rated.state, state);
  assert.deepEqual(
    rated.unpricedMeters,
    reported ? Object.keys(expected.breakdown) : (expected.missing_components ?? []),
  );
  if (!reported)
    assert.deepEqual(
      new Set(rated.charges.map((charge) => [charge.meter, formatUsd(charge.amount)])),
      new Set(expected.line_items.map((line) => [line.component, roundUsd(line.cost_usd)])),
    );
  assert.ok(rated.cost !== null);
  assert.equal(formatUsd(rated.cost), roundUsd(expected.list_total_usd ?? expected.total_usd));
}

/** The cases state exact decimals; one with more than twelve places would have to be rounded here, and none has. */
function roundUsd(text: string): string {
  const exact = parseUsd(text);
  assert.ok(exact !== undefined, text);
  return formatUsd(exact);
}

function readUsage(one: Case): Usage {
  const serviceTier = one.context?.response_service_tier;
  const reportedCost = one.context?.headers?.['x-litellm-response-cost'];
  const raw =
    one.events === undefined
      ? one.usage
      : one.events.findLast(({ usage }) => usage !== null && usage !== undefined)?.usage;
  const usage = parseOpenAiUsage(raw, {
    ...(serviceTier === undefined ? {} : { serviceTier }),
    ...(reportedCost === undefined ? {} : { reportedCost }),
  });
  assert.ok(usage !== null);
  return usage;
}

function findPrice(one: Case): ReturnType<ReturnType<typeof makePriceBook>['find']> {
  const { pricing, provider, model } = one;
  const periods = pricing.history ?? [{ from: null, to: null, rates: pricing.rates ?? {} }];
  const rows = periods.map((period, at): PriceRow => {
    return {
      id: `${one.id}/${at}`,
      provider,
      model,
      match: [{ kind: 'id', id: model.toLowerCase() }],
      effectiveFrom: time(period.from),
      effectiveTo: time(period.to),
      rates: period.rates,
      ...(pricing.tiers && { tiers: pricing.tiers }),
      ...(pricing.service_tiers && { serviceTiers: pricing.service_tiers }),
      source: 'tests/golden-costs.json',
      checked: null,
    };
  });
  const at = time(one.context?.at ?? '2026-11-21T00:00:00Z') as TimestampMs;
  return makePriceBook(chainHistory(rows)).find({ provider, model, at });
}

function time(text: string | null): TimestampMs | null {
  return text === null ? null : (Date.parse(text) as TimestampMs);
}

function withoutZeros(meters: Meters): Record<string, number> {
  return Object.fromEntries(Object.entries(meters).filter(([, quantity]) => quantity !== 0));
}
