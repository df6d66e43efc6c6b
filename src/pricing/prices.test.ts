import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sumUsd, type Usage } from '#terms';
import { chainHistory } from './history.ts';
import { makePriceBook } from './price-book.ts';
import type { PriceRow, Rates } from './price-row.ts';
import { NO_TERMS, type Contract, type Markup, type PriceTerms } from './price-term.ts';
import { makePrices, type PricedAttempt } from './prices.ts';
import { instant, makeRow } from './row-fixture.ts';

const million = 1_000_000;

const inputAt = (amount: string): Rates => ({ input: { amount, per: million } });

const ATTEMPT: PricedAttempt = {
  provider: 'p',
  account: 'work',
  answered: 'm',
  asked: 'm',
  region: '',
  at: instant('2026-06-01'),
  payer: { key: 'key_1', team: 'search', dimensions: new Map([['customer', { value: 'acme' }]]) },
};

const ALWAYS = { effectiveFrom: null, effectiveTo: null };

type Agreed = { readonly discount: string } | { readonly rates: Rates };

function contract(agreed: Agreed, scope: Partial<Contract> = {}): Contract {
  return {
    id: 'contract',
    provider: 'p',
    model: null,
    serviceTier: null,
    region: null,
    ...ALWAYS,
    ...scope,
    ...agreed,
  };
}

function markup(share: string, scope: Partial<Markup> = {}): Markup {
  const anyone = { provider: null, model: null, team: null, key: null, tag: null };
  return { id: 'markup', ...anyone, ...ALWAYS, ...scope, markup: share };
}

const LIST = [
  makeRow({
    serviceTiers: { flex: { factor: '0.5' }, priority: { rates: inputAt('5') } },
    geo: { us: { factor: '1.1' } },
  }),
  makeRow({ id: 'dated', model: 'm-2024-05-13', rates: inputAt('9') }),
  makeRow({ id: 'image', model: 'draw', rates: { output_image: { amount: '40', per: million } } }),
];

function pricesOf(terms: Partial<PriceTerms>, list: readonly PriceRow[] = LIST) {
  return makePrices(makePriceBook(chainHistory(list)), { ...NO_TERMS, ...terms });
}

function price(terms: Partial<PriceTerms>, usage: Partial<Usage> = {}, attempt: Partial<PricedAttempt> = {}) {
  const whole: Usage = { meters: { input: million }, origin: 'reported', raw: '', ...usage };
  return pricesOf(terms).price(whole, { ...ATTEMPT, ...attempt });
}

const usd = (dollars: number): bigint => BigInt(Math.round(dollars * 1_000)) * 1_000_000_000n;

const own = (id: string, changes: Partial<PriceRow>): PriceRow => makeRow({ id, layer: 'operator', ...changes });

test('P23 what answered is billed, and an unknown name stands for what was asked for', () => {
  assert.equal(price({}, {}, { answered: 'm-2024-05-13' }).cost, usd(9));
  assert.equal(price({}, {}, { answered: 'who-knows' }).cost, usd(2));
  assert.equal(price({}, {}, { answered: '' }).cost, usd(2));
  assert.equal(price({}, {}, { answered: 'x', asked: 'y' }).reason, 'model_without_price');
});

test('P23 a name that only the operator prices is a deployment, whatever model it says it is', () => {
  const rows = [own('deployment', { provider: 'work', model: 'eu-prod', rates: inputAt('7') })];
  assert.equal(price({ rows }, {}, { asked: 'eu-prod' }).cost, usd(7));
  assert.equal(price({ rows }, {}, { asked: 'm' }).cost, usd(2));
});

test('P23 a price for one model is none for the model that answered in its place', () => {
  const rows = [own('deal', { model: 'm', rates: inputAt('1') })];
  assert.equal(price({ rows }, {}, { asked: 'm', answered: 'm-2024-05-13' }).cost, usd(9));
  assert.equal(price({ rows }, {}, { asked: 'm', answered: 'm-2025-01-01' }).cost, usd(1));
});

test('P24 other models inside an answer are priced at their own rows and summed in', () => {
  const rated = price({}, { others: [{ model: 'draw', meters: { output_image: million } }] });
  assert.deepEqual([rated.state, rated.cost, rated.listCost], ['exact', usd(42), usd(42)]);
  assert.deepEqual(
    rated.charges.map(({ meter, priceRow }) => [meter, priceRow]),
    [
      ['input', 'row'],
      ['output_image', 'image'],
    ],
  );
});

test('P24 without a price of its own another model leaves the cost incomplete', () => {
  const rated = price({}, { others: [{ model: 'advisor', meters: { input: 1, output_text: 2 } }] });
  assert.deepEqual(
    [rated.state, rated.cost, rated.listCost, rated.unpricedMeters, rated.reason],
    ['incomplete', usd(2), null, ['input', 'output_text'], 'model_without_price'],
  );
});

test('P24 what only another model consumed needs no price of the model that was asked', () => {
  const others = [{ model: 'draw', meters: { output_image: million } }];
  const rated = price({}, { meters: {}, others }, { asked: 'router', answered: '' });
  assert.deepEqual([rated.state, rated.cost], ['exact', usd(40)]);
  const absurd = price({}, { others: [{ model: 'draw', meters: { output_image: -1 } }] });
  assert.deepEqual([absurd.state, absurd.reason], ['unpriced', 'usage_inconsistent']);
});

test('P26 an operator row wins over the list, meter by meter, and that of the account over that of the provider', () => {
  const rows = [own('all', { rates: inputAt('1.5') }), own('work', { provider: 'work', rates: inputAt('1') })];
  assert.equal(price({ rows }).cost, usd(1));
  assert.equal(price({ rows }, {}, { account: 'other' }).cost, usd(1.5));
  assert.equal(price({ rows }, { meters: { output_text: million } }).cost, usd(8));
  assert.equal(price({ rows }).listCost, usd(1));
});

test('P26 a zero price is a price: a model of one’s own is exact and free', () => {
  const rows = [
    own('free', {
      provider: 'ollama',
      model: 'llama3.2',
      rates: { ...inputAt('0'), output_text: { amount: '0', per: 1 } },
    }),
  ];
  const local = { provider: 'ollama', account: 'ollama', answered: 'llama3.2', asked: 'llama3.2' };
  const rated = price({ rows }, { meters: { input: 26, output_text: 298 } }, local);
  assert.deepEqual([rated.state, rated.cost, rated.charges.length], ['exact', 0n, 2]);
  assert.equal(price({}, {}, local).state, 'unpriced');
});

test('P26 a row for every model holds for names nobody knows', () => {
  const rows = [own('gpu', { provider: 'vllm', model: '*', match: [], rates: inputAt('0.1') })];
  assert.equal(price({ rows }, {}, { provider: 'vllm', account: 'vllm', answered: 'x', asked: 'y' }).cost, usd(0.1));
  assert.deepEqual(pricesOf({ rows: [...rows, own('a', { provider: 'vllm', model: 'a' })] }).models('vllm'), ['a']);
});

test('P26 of two operator rows that begin at once the first holds, and a later one ends both', () => {
  const first = own('first', { rates: inputAt('3') });
  const second = own('second', { rates: { ...inputAt('4'), input_audio: { amount: '6', per: million } } });
  const later = own('later', { rates: inputAt('5'), effectiveFrom: instant('2026-07-01') });
  const rows = [first, second, later];
  assert.equal(price({ rows }, { meters: { input: million, input_audio: million } }).cost, usd(9));
  const after = price({ rows }, { meters: { input: million, input_audio: million } }, { at: instant('2026-07-01') });
  assert.deepEqual([after.cost, after.unpricedMeters], [usd(5), ['input_audio']]);
});

test('P27 the first contract in scope holds: provider or account, model, served tier, region, date', () => {
  const contracts = [
    contract({ discount: '0.9' }, { id: 'other-account', provider: 'elsewhere' }),
    contract({ discount: '0.8' }, { id: 'model', model: 'draw' }),
    contract({ discount: '0.7' }, { id: 'flex', serviceTier: 'flex' }),
    contract({ discount: '0.6' }, { id: 'us', region: 'us' }),
    contract(
      { discount: '0.5' },
      { id: 'july', effectiveFrom: instant('2026-07-01'), effectiveTo: instant('2026-08-01') },
    ),
    contract({ discount: '0.25' }, { id: 'account', provider: 'work' }),
    contract({ discount: '0.1' }, { id: 'never' }),
  ];
  const applied = (usage: Partial<Usage>, attempt: Partial<PricedAttempt>) =>
    price({ contracts }, usage, attempt).terms;
  assert.deepEqual(applied({}, {}), ['account']);
  assert.deepEqual(applied({}, { account: 'elsewhere' }), ['other-account']);
  assert.deepEqual(applied({ serviceTier: 'flex' }, {}), ['flex']);
  assert.deepEqual(price({ contracts }, { geo: 'US' }).terms, ['us']);
  assert.deepEqual(applied({}, { at: instant('2026-07-01') }), ['july']);
  assert.deepEqual(applied({}, { at: instant('2026-08-01') }), ['account']);
  assert.deepEqual(applied({ meters: { output_image: 1 } }, { answered: 'draw' }), ['model']);
});

test('P27 rates of a contract win over the list, and tiers that are a factor apply to them', () => {
  const contracts = [contract({ rates: inputAt('1') })];
  const cost = (usage: Partial<Usage>): unknown => price({ contracts }, usage).cost;
  assert.equal(cost({}), usd(1));
  assert.equal(cost({ meters: { output_text: million } }), usd(8));
  assert.equal(cost({ serviceTier: 'flex' }), usd(0.5));
  assert.equal(cost({ serviceTier: 'priority' }), usd(5));
  assert.equal(cost({ geo: 'us' }), usd(1.1));
  assert.equal(price({ contracts }).listCost, usd(2));
  assert.equal(price({ contracts }).charges[0]?.priceRow, 'contract');
});

test('P27 rates for a tier or a region hold there as they stand, also for a tier no list prices', () => {
  const forTier = [contract({ rates: inputAt('1') }, { serviceTier: 'scale' })];
  assert.equal(price({ contracts: forTier }, { serviceTier: 'scale' }).cost, usd(1));
  assert.equal(price({ contracts: forTier }, { serviceTier: 'scale' }).listCost, null);
  assert.equal(price({ contracts: forTier }).cost, usd(2));
  const forRegion = [contract({ rates: inputAt('1') }, { region: 'us' })];
  assert.equal(price({ contracts: forRegion }, { geo: 'us' }).cost, usd(1));
  assert.equal(price({ contracts: forRegion }, { geo: 'us', meters: { output_text: million } }).cost, usd(8.8));
  const farAway = [contract({ rates: inputAt('1') }, { region: 'mars' })];
  const there = price({ contracts: farAway }, { meters: { input: million, output_text: 1 } }, { region: 'mars' });
  assert.deepEqual([there.cost, there.unpricedMeters, there.listCost], [usd(1), ['output_text'], null]);
});

test('P27 a contract can price a model that no list knows', () => {
  const contracts = [contract({ rates: inputAt('0.3') }, { model: 'new-model' })];
  const rated = price({ contracts }, {}, { answered: 'new-model', asked: 'new-model' });
  assert.deepEqual([rated.state, rated.cost, rated.listCost], ['exact', usd(0.3), null]);
});

test('P28 the first markup in scope holds: team, key, tag', () => {
  const markups = [
    markup('9', { id: 'team', team: 'other' }),
    markup('8', { id: 'key', key: 'key_2' }),
    markup('7', { id: 'tag', tag: { key: 'customer', value: 'globex' } }),
    markup('6', { id: 'ended', effectiveTo: ATTEMPT.at }),
    markup('0.5', { id: 'acme', tag: { key: 'customer', value: 'acme' } }),
    markup('0.1', { id: 'rest' }),
  ];
  const rated = price({ markups });
  assert.deepEqual([rated.cost, rated.billed, rated.terms], [usd(2), usd(3), ['acme']]);
  const payer = { key: 'key_1', team: 'other', dimensions: new Map() };
  assert.deepEqual(price({ markups }, {}, { payer }).terms, ['team']);
  assert.deepEqual(price({ markups }, {}, { payer: { ...payer, team: 'x' } }).terms, ['rest']);
});

test('P29 list cost, cost and billed are three amounts, and the terms are named', () => {
  const rated = price({ contracts: [contract({ discount: '0.125' })], markups: [markup('0.035')] });
  assert.deepEqual(
    [rated.listCost, rated.cost, rated.billed, rated.computedCost, rated.terms],
    [usd(2), usd(1.75), 1_811_250_000_000n, usd(1.75), ['contract', 'markup']],
  );
});

test('P29 a reported cost is the cost: no discount is taken from it, and a markup is', () => {
  const terms = { contracts: [contract({ discount: '0.5' })], markups: [markup('0.1')] };
  const rated = price(terms, { reportedCost: '3' });
  assert.deepEqual(
    [rated.state, rated.cost, rated.billed, rated.computedCost, rated.listCost],
    ['reported', usd(3), usd(3.3), usd(1), usd(2)],
  );
  const unknown = price(terms, { reportedCost: '3' }, { answered: 'x', asked: 'x' });
  assert.deepEqual(
    [unknown.cost, unknown.billed, unknown.computedCost, unknown.listCost],
    [usd(3), usd(3.3), null, null],
  );
});

test('P29 usage that the list does not price whole has no list cost', () => {
  const rated = price({}, { meters: { input: 1, input_audio: 1 } });
  assert.deepEqual([rated.state, rated.listCost], ['incomplete', null]);
});

test('P19 a discount and a markup are exact: each result is rounded once from the exact list cost', () => {
  const share = fc.nat({ max: 10_000 });
  fc.assert(
    fc.property(fc.nat({ max: 1_000_000_000 }), share, share, (tokens, off, on) => {
      const text = (n: number): string => (n / 10_000).toFixed(4);
      const terms = { contracts: [contract({ discount: text(off) })], markups: [markup(text(on))] };
      const rated = price(terms, { meters: { input: tokens } });
      const list = BigInt(tokens) * 2_000_000n;
      const halfEven = (num: bigint, den: bigint): bigint => {
        const [floor, twice] = [num / den, (num % den) * 2n];
        return floor + (twice > den || (twice === den && floor % 2n === 1n) ? 1n : 0n);
      };
      const kept = list * BigInt(10_000 - off);
      assert.equal(rated.cost, halfEven(kept, 10_000n));
      assert.equal(rated.billed, halfEven(kept * BigInt(10_000 + on), 100_000_000n));
      assert.equal(sumUsd(rated.charges.map(({ amount }) => amount)), rated.listCost);
    }),
  );
});

test('P25 a bound holds under every contract that may apply, and a certain one bounds alone', () => {
  const bound = (terms: Partial<PriceTerms>, region = '') =>
    pricesOf(terms).bound({ ...ATTEMPT, region }, { inputTokens: million, outputTokens: 0, n: 1 });
  assert.equal(bound({}), usd(5.5));
  assert.equal(bound({ contracts: [contract({ discount: '0.5' })] }), usd(2.75));
  assert.equal(bound({ contracts: [contract({ rates: inputAt('20') })] }), usd(22));
  assert.equal(bound({ contracts: [contract({ rates: inputAt('20') }, { serviceTier: 'scale' })] }), usd(22));
  assert.equal(bound({ contracts: [contract({ discount: '0.5' }, { serviceTier: 'flex' })] }), usd(5.5));
  assert.equal(bound({ contracts: [contract({ rates: inputAt('20') }, { region: 'eu' })] }, 'us'), usd(5.5));
  assert.equal(bound({ contracts: [contract({ rates: inputAt('20') }, { region: 'us' })] }, 'us'), usd(20));
});

test('P25 no cost is above its bound, whatever is served, wherever, under whatever contracts', () => {
  const terms: Partial<PriceTerms> = {
    contracts: [
      contract({ rates: inputAt('7') }, { id: 'a', serviceTier: 'flex' }),
      contract({ discount: '0.3' }, { id: 'b', region: 'us' }),
      contract({ rates: { ...inputAt('3'), output_text: { amount: '11', per: million } } }, { id: 'c' }),
    ],
  };
  const prices = pricesOf(terms);
  const served = fc.record({
    serviceTier: fc.constantFrom('', 'flex', 'priority'),
    geo: fc.constantFrom('', 'us'),
    region: fc.constantFrom('', 'us'),
  });
  const tokens = fc.nat({ max: 1_000_000 });
  fc.assert(
    fc.property(served, tokens, tokens, (how, input, output) => {
      const attempt = { ...ATTEMPT, region: how.region };
      const usage: Usage = { meters: { input, output_text: output }, origin: 'reported', raw: '', ...how };
      const { cost } = prices.price(usage, attempt);
      const bound = prices.bound(attempt, { inputTokens: input, outputTokens: output, n: 1 });
      assert.ok(cost === null || (bound !== null && cost <= bound));
    }),
  );
});

test('P18 terms are part of the version, and without any it is that of the book', () => {
  const book = makePriceBook(chainHistory(LIST));
  assert.equal(makePrices(book).version, book.version);
  const [one, other] = [pricesOf({ markups: [markup('0.1')] }), pricesOf({ markups: [markup('0.2')] })];
  assert.ok(one.version.startsWith(`${book.version}+`));
  assert.notEqual(one.version, other.version);
});
