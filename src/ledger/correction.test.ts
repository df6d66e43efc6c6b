import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TimestampMs } from '#std';
import {
  COST_STATES,
  picoUsd,
  sumUsd,
  ZERO_USD,
  type Charge,
  type CostState,
  type Meters,
  type RatedCost,
} from '#terms';
import { correctionEntry, standsAlready } from './correction.ts';
import { parseEntry, type EntryRecord } from './entry-record.ts';
import { standingOf } from './standing.ts';
import { sampleEntry } from './store/sample.fixture.ts';

const POSTED = Date.UTC(2026, 10, 5) as TimestampMs;

function lineOf(amount: bigint, priceRow: string): Charge {
  return {
    meter: 'input',
    quantity: 10,
    unitPrice: { amount: '2.5', per: 1_000_000 },
    amount: picoUsd(amount),
    priceRow,
  };
}

/** A cost as `Prices.price` gives it; null has no price. */
function ratedOf(cost: bigint | null, more: Partial<RatedCost> = {}): RatedCost {
  const amount = cost === null ? null : picoUsd(cost);
  return {
    state: cost === null ? 'unpriced' : 'exact',
    cost: amount,
    listCost: amount,
    billed: amount,
    computedCost: amount,
    terms: [],
    charges: cost === null ? [] : [lineOf(cost, 'openai/gpt-4o@new')],
    unpricedMeters: cost === null ? ['input'] : [],
    ...more,
  };
}

/** The entry and its corrections after each of these costs was made to hold. */
function corrected(original: EntryRecord, costs: readonly RatedCost[]): readonly EntryRecord[] {
  const corrections: EntryRecord[] = [];
  for (const rated of costs) {
    const standing = standingOf(original, corrections);
    if (standsAlready(standing, rated, original.meters)) continue;
    const { entry } = correctionEntry({
      original,
      standing,
      rated,
      meters: original.meters,
      postedAt: POSTED,
      reason: 'repriced',
      priceBook: 'book-2',
    });
    corrections.push(parseEntry(JSON.parse(entry)));
  }
  return corrections;
}

const priced = parseEntry(JSON.parse(sampleEntry(7, { cost: 100n, tags: { 'app.version': '2.0', team: 'core' } })));
const unpriced = parseEntry(JSON.parse(sampleEntry(8, { cost: null })));

test('a correction has every dimension of its entry, at the time of that, and is no call', () => {
  const [correction] = corrected(unpriced, [ratedOf(40n)]);
  const changed = Object.keys(unpriced.fields).filter(
    (field) => JSON.stringify(unpriced.fields[field]) !== JSON.stringify(correction?.fields[field]),
  );
  assert.deepEqual(changed.toSorted(), [
    'billed',
    'charges',
    'computed_cost',
    'corrects',
    'cost',
    'cost_reason',
    'cost_state',
    'counts_call',
    'entry_id',
    'first_byte_ms',
    'input_tokens',
    'kind',
    'latency_ms',
    'list_cost',
    'meters',
    'output_tokens',
    'posted_at',
    'price_book',
    'reserved',
    'resolves',
    'salt',
    'unpriced_meters',
    'usage_raw',
  ]);
  assert.equal(correction?.effectiveAt, unpriced.effectiveAt);
  assert.deepEqual(
    ['entry_id', 'counts_call', 'corrects', 'resolves', 'moved_cost', 'cost', 'price_book', 'input_tokens'].map(
      (field) => correction?.fields[field],
    ),
    [`${unpriced.callId}.1.correction.1`, 0, unpriced.entryId, 'unpriced', '0', '40', 'book-2', 0],
  );
});

test('a correction of an amount is the difference, with the old lines taken back and the new ones beside them', () => {
  const [correction] = corrected(priced, [ratedOf(70n, { listCost: picoUsd(90n) })]);
  assert.deepEqual(
    [correction?.cost, correction?.listCost, correction?.billed, correction?.costState],
    [-30n, -10n, -30n, 'exact'],
  );
  assert.deepEqual(
    correction?.charges.map(({ quantity, amount, price_row }) => [quantity, amount, price_row]),
    [
      ['-10', '-100', 'openai/gpt-4o#1'],
      ['10', '70', 'openai/gpt-4o@new'],
    ],
  );
});

test('what stands already is not corrected, so a second time changes nothing', () => {
  assert.equal(corrected(priced, [ratedOf(70n), ratedOf(70n)]).length, 1);
  assert.equal(corrected(priced, [ratedOf(100n)]).length, 0);
});

test('a correction that changes the state says what was counted under the old one', () => {
  const [first, second] = corrected(priced, [ratedOf(70n, { state: 'incomplete' }), ratedOf(80n)]);
  assert.deepEqual([first?.fields['resolves'], first?.fields['moved_cost']], ['exact', '100']);
  assert.deepEqual([second?.fields['resolves'], second?.fields['moved_cost']], ['incomplete', '70']);
});

test('what is in doubt loses its risk with the correction that resolves it', () => {
  const lost = parseEntry({
    ...unpriced.fields,
    cost_state: 'in_doubt',
    at_risk: '5000000',
    meters: {},
    input_tokens: 0,
    output_tokens: 0,
  });
  const [correction] = corrected(lost, [ratedOf(40n)]);
  assert.deepEqual([correction?.atRisk, correction?.fields['resolves']], [-5_000_000n, 'in_doubt']);
  assert.equal(standingOf(lost, correction === undefined ? [] : [correction]).atRisk, null);
});

test('a correction of usage takes the difference into meters and tokens', () => {
  const meters: Meters = { input: 4, cache_read: 6, output_text: 5 };
  const { entry } = correctionEntry({
    original: priced,
    standing: standingOf(priced, []),
    rated: ratedOf(60n),
    meters,
    postedAt: POSTED,
    reason: 'repriced',
    priceBook: 'book-2',
  });
  const correction = parseEntry(JSON.parse(entry));
  assert.deepEqual(correction.meters, { input: -6, cache_read: 6 });
  assert.deepEqual([correction.fields['input_tokens'], correction.fields['output_tokens']], [0, 0]);
  assert.deepEqual(standingOf(priced, [correction]).meters, meters);
});

const state = fc.constantFrom(...COST_STATES.filter((one) => one !== 'in_doubt'));
const amount = fc.bigInt(0n, 10n ** 30n);
const anyCost = fc
  .record({ state, cost: amount, list: amount, billed: amount, row: fc.constantFrom('a', 'b') })
  .map(({ state: to, cost, list, billed, row }): RatedCost =>
    to === 'unpriced'
      ? ratedOf(null)
      : ratedOf(cost, { state: to, listCost: picoUsd(list), billed: picoUsd(billed), charges: [lineOf(cost, row)] }),
  );

/** What the reports add up, state by state, as they do it: signed, without looking from one entry to another. */
function countedIn(entries: readonly EntryRecord[], of: CostState): { count: number; cost: bigint } {
  let count = 0;
  let cost = 0n;
  for (const entry of entries) {
    const counts = entry.kind === 'attempt' || entry.fields['resolves'] !== '';
    const moved = BigInt(String(entry.fields['moved_cost']));
    if (entry.costState === of) {
      if (counts) count += 1;
      if (entry.cost !== null) cost += entry.cost;
      cost += moved;
    }
    if (entry.fields['resolves'] === of) {
      count -= 1;
      cost -= moved;
    }
  }
  return { count, cost };
}

test('whatever is corrected to whatever: the entries add up to what was last said, in its state and in no other', () => {
  fc.assert(
    fc.property(fc.array(anyCost, { maxLength: 6 }), (costs) => {
      const corrections = corrected(priced, costs);
      const standing = standingOf(priced, corrections);
      const last = costs.at(-1) ?? ratedOf(100n);
      assert.deepEqual([standing.cost, standing.state], [last.cost, last.state]);
      const all = [priced, ...corrections];
      // Of a cost that is not known any more, nothing is left.
      const left = last.cost === null ? ZERO_USD : last.cost;
      assert.equal(sumUsd(all.map(({ cost }) => cost).filter((cost) => cost !== null)), left);
      const lines = all.flatMap((entry) => entry.charges).reduce((sum, line) => sum + BigInt(line.amount), 0n);
      assert.equal(lines, left);
      for (const one of COST_STATES) {
        const here = one === last.state;
        assert.deepEqual(countedIn(all, one), { count: here ? 1 : 0, cost: here ? left : 0n }, one);
      }
    }),
    { numRuns: 200 },
  );
});
