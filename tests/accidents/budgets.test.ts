import assert from 'node:assert/strict';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BudgetBook, windowAt, type Budget, type Scope, type ScopedCall, type Window } from '#budgets';
import { type TimestampMs } from '#std';
import { picoUsd } from '#terms';
import { picoText, startGateway, until, type Gateway } from '#world';
import { send, type Sent } from '../journeys/attributed.ts';
import { startHoldingUpstream, type HoldingUpstream } from '../journeys/holding-upstream.ts';
import { ask, makeKey, recorded, report, whenStored } from '../journeys/record.ts';
import { clearRules, putBudget, standingOf } from '../journeys/rules.ts';

const WAIT_MS = 90_000;
const CHAT = { model: 'gpt-4o-mini', max_completion_tokens: 50, messages: [{ role: 'user', content: 'Hold.' }] };

/** A scope of every kind, and a call that is in it. */
const KINDS: Readonly<Record<string, { readonly scope: object; readonly tags?: string }>> = {
  all: { scope: {} },
  model: { scope: { model: 'gpt-4o-mini' } },
  provider: { scope: { provider: 'east' } },
  team: { scope: { 'key.team': 'growth' } },
  owner: { scope: { 'key.owner': 'ann' } },
  key: { scope: { 'key.id': { each: true } } },
  customer: { scope: { 'tags.customer': { each: true } } },
  feature: { scope: { 'tags.feature': 'chat' } },
  label: { scope: { label: 'beta' } },
  path: { scope: { label: 'US' } },
};

describe('accidents of budgets', () => {
  let upstream: HoldingUpstream;
  let gateway: Gateway;
  let key = '';

  before(async () => {
    upstream = await startHoldingUpstream();
    const provider = { wire: 'openai', base_url: upstream.baseUrl, api_key: upstream.apiKey, price_as: 'openai' };
    gateway = await startGateway({ config: { providers: { east: provider } } });
    // Waits for administration.
    await clearRules(gateway);
    ({ key } = await makeKey(gateway, { team_id: 'growth', user_id: 'ann' }));
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });

  const tagged = (tags: string): Sent => ({ body: CHAT, key, headers: { 'x-apportion-tags': tags } });
  const sumOf = () => recorded(gateway.dataDir).reduce((sum, { cost }) => sum + (cost ?? 0n), 0n);

  /** Sends them all at once, and answers those that were admitted once all are decided. */
  async function together(sent: readonly Sent[]): Promise<readonly number[]> {
    let refused = 0;
    const answers = sent.map(async (one) => {
      const { status } = await send(gateway, one);
      if (status !== 200) refused += 1;
      return status;
    });
    await until(`${sent.length} decisions`, WAIT_MS, async () =>
      refused + upstream.waiting().length === sent.length ? true : undefined,
    );
    upstream.release();
    return Promise.all(answers);
  }

  async function boundOf(sent: Sent): Promise<bigint> {
    await clearRules(gateway);
    assert.deepEqual(await together([sent]), [200]);
    return recorded(gateway.dataDir).at(-1)?.reserved ?? assert.fail();
  }

  test('D1: calls at once do not all pass on the same money', async () => {
    const bound = await boundOf(tagged('race=d1'));
    const spent = recorded(gateway.dataDir).at(-1)?.cost ?? 0n;
    await putBudget(gateway, { id: 'd1', scope: { 'tags.race': 'd1' }, limit_usd: picoText(spent + 10n * bound) });
    const statuses = await together(Array.from({ length: 200 }, () => tagged('race=d1')));
    assert.equal(statuses.filter((status) => status === 200).length, 10);
  });

  test('D2: the first calls of a customer nobody knows are under the default budget, at once too', async () => {
    const bound = await boundOf(tagged('customer=known'));
    const scope = { 'tags.customer': { unlisted: true } };
    await putBudget(gateway, { id: 'd2', scope, limit_usd: picoText(bound + 1n) });
    const statuses = await together(Array.from({ length: 8 }, () => tagged('customer=never')));
    assert.deepEqual(
      [200, 402].map((wanted) => statuses.filter((status) => status === wanted).length),
      [1, 7],
    );
  });

  test('D3: a budget holds however a call names the entity, and for the key itself', async () => {
    await clearRules(gateway);
    await putBudget(gateway, { id: 'd3', scope: { 'tags.customer': 'acme' }, limit_usd: '0' });
    const locked = await makeKey(gateway, { locked_tags: { customer: 'acme' } });
    const usual = await makeKey(gateway, { metadata: { tags: ['customer:acme'] } });
    const channels: readonly Sent[] = [
      { body: { ...CHAT, entity_type: 'customer', entity_id: 'acme' } },
      { body: { ...CHAT, tags: { customer: 'acme' } } },
      { body: { ...CHAT, metadata: { tags: ['customer:acme'] } } },
      { body: CHAT, headers: { 'x-apportion-tags': 'customer=acme' } },
      { body: CHAT, headers: { 'x-apportion-entity': 'customer/acme' } },
      { body: CHAT, headers: { 'x-litellm-customer-id': 'acme' } },
      { body: CHAT, key: locked.key },
      { body: CHAT, key: locked.key, headers: { 'x-apportion-tags': 'customer=globex' } },
      { body: CHAT, key: usual.key },
    ];
    const statuses = [];
    for (const sent of channels) statuses.push((await send(gateway, sent)).status);
    assert.deepEqual(
      statuses,
      channels.map(() => 402),
    );
  });

  test('D4, D6, D8: counters begun anew, for every kind of scope and however often, are the ledger’s sums', async () => {
    await clearRules(gateway);
    const all = Array.from({ length: 12 }, (_, n) => tagged(`customer=c${n % 3},feature=chat,beta,US/CA`));
    await together(all);
    for (const [id, { scope }] of Object.entries(KINDS)) await putBudget(gateway, { id, scope, limit_usd: '1000' });
    const first = await standings();
    assert.equal(first['all'], sumOf());
    for (const way of ['stop', 'kill'] as const) {
      await gateway[way]();
      await rm(join(gateway.dataDir, 'journal', 'counters.json'), { force: true });
      await gateway.restart();
      assert.deepEqual(await standings(), first);
    }
    await together(all);
    assert.equal((await standings())['all'], sumOf());
  });

  async function standings(): Promise<Record<string, bigint>> {
    const stood: Record<string, bigint> = {};
    for (const id of Object.keys(KINDS)) stood[id] = (await standingOf(gateway, id)).spent;
    return stood;
  }

  test('D7: counters from an old copy go on from where the copy ends', async () => {
    const file = join(gateway.dataDir, 'journal', 'counters.json');
    await gateway.stop();
    await copyFile(file, `${file}.old`);
    await gateway.restart();
    await together([tagged('customer=late'), tagged('customer=late')]);
    await gateway.stop();
    await copyFile(`${file}.old`, file);
    await rm(`${file}.old`);
    await gateway.restart();
    assert.equal((await standings())['all'], sumOf());
  });

  test('D14: what was spent in a window that is over, or under a budget that is gone, stays in the ledger', async () => {
    await putBudget(gateway, { id: 'd14', scope: {}, window: { kind: 'fixed', length: '1s' }, limit_usd: '1000' });
    await together([tagged('customer=gone')]);
    await clearRules(gateway);
    await whenStored(gateway);
    assert.equal((await report(gateway)).summary.total_cost_exact, await exact(sumOf()));
  });

  /** As reports write it. */
  async function exact(amount: bigint): Promise<string> {
    return picoText(amount).replace(/\.?0+$/, '');
  }

  test('D20: what is held is settled with the answer, and a call that a crash cut short is in doubt until somebody knows', async () => {
    await clearRules(gateway);
    await putBudget(gateway, { id: 'd20', scope: { 'tags.customer': 'doubt' }, limit_usd: '1000' });
    await together([tagged('customer=doubt')]);
    const { spent, reserved } = await standingOf(gateway, 'd20');
    assert.deepEqual([spent, reserved], [recorded(gateway.dataDir).at(-1)?.cost, 0n]);
    const cut = send(gateway, tagged('customer=doubt')).catch(() => undefined);
    await until('the call to be under way', WAIT_MS, async () => (upstream.waiting().length > 0 ? true : undefined));
    await gateway.kill();
    await cut;
    await gateway.restart();
    const lost = recorded(gateway.dataDir).at(-1) ?? assert.fail();
    assert.deepEqual(await standingOf(gateway, 'd20'), { spent, reserved: 0n, atRisk: lost.reserved });
    await until('administration', WAIT_MS, () => ask(gateway, '/v1/in-doubt').catch(() => undefined));
    const answer = await until('the doubt to be in the store', WAIT_MS, async () => {
      const given = await fetch(`${gateway.url}/v1/events/${lost.entryId}/resolve`, {
        method: 'POST',
        headers: { authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ cost_usd: '0.00001', reason: 'the provider says so' }),
      });
      await given.arrayBuffer();
      return given.status === 404 || given.status === 503 ? undefined : given.status;
    });
    assert.equal(answer, 200);
    assert.deepEqual(await standingOf(gateway, 'd20'), { spent: spent + 10_000_000n, reserved: 0n, atRisk: 0n });
    upstream.release();
  });
});

const SCOPES: Readonly<Record<string, Scope>> = {
  all: [],
  key: [{ on: 'key', values: { kind: 'is', value: 'key_1' } }],
  team: [{ on: 'team', values: { kind: 'each' } }],
  customer: [{ on: 'entity', type: 'customer', values: { kind: 'each' } }],
  label: [{ on: 'label', label: 'beta' }],
};

const CALL: ScopedCall = {
  key: 'key_1',
  team: 'growth',
  owner: '',
  model: 'gpt-5',
  provider: 'openai',
  route: '',
  tags: { dimensions: new Map([['customer', { value: 'acme', provenance: 'declared' }]]), labels: ['beta'], paths: [] },
};

function bookOf(scope: Scope, window: Window): BudgetBook {
  const book = new BudgetBook();
  const rest = { id: 'b', name: 'b', counts: 'declared', effectiveFrom: null, effectiveTo: null } as const;
  const budget: Budget = {
    raise: null,
    outage: 'spend_lease',
    ...rest,
    scope,
    window,
    limit: picoUsd(10n),
    mode: 'strict',
    action: { kind: 'block' },
    thresholds: [],
  };
  book.replace([budget]);
  return book;
}

let made = 0;

function admits(book: BudgetBook, at: TimestampMs): boolean {
  made += 1;
  const cost = picoUsd(10n);
  const id = `call_${made}.1`;
  if (book.reserve({ id, call: CALL, at, bound: cost, expected: cost }).kind !== 'admitted') return false;
  book.settle(id, cost);
  return true;
}

test('D9, D10: through three windows of every kind and scope a budget is used up once each, and free at the very moment of the next', () => {
  const zone = 'Asia/Kathmandu';
  const windows: readonly Window[] = [
    { kind: 'hour', zone },
    { kind: 'day', count: 1, zone },
    { kind: 'week', startsOn: 1, zone },
    { kind: 'month', count: 1, startsOn: 31, zone },
    { kind: 'year', startsOnMonth: 4, zone },
    { kind: 'fixed', lengthMs: 90_000 },
  ];
  for (const scope of Object.values(SCOPES)) {
    for (const window of windows) {
      const book = bookOf(scope, window);
      let { start, end } = windowAt(window, Date.parse('2028-01-31T12:00:00Z') as TimestampMs);
      for (let nth = 0; nth < 3; nth += 1) {
        const last = (end - 1) as TimestampMs;
        assert.deepEqual(
          [admits(book, start), admits(book, start), admits(book, last)],
          [true, false, false],
          window.kind,
        );
        ({ start, end } = windowAt(window, end));
      }
    }
  }
});

test('D12: a month is a month: through January 31, February 29 and clock changes, not 30 days', () => {
  const starts = (window: Window, from: string): readonly string[] => {
    let at = Date.parse(from) as TimestampMs;
    return Array.from({ length: 3 }, () => {
      const { start, end } = windowAt(window, at);
      at = end;
      return new Date(start).toISOString();
    });
  };
  const month = (startsOn: number, zone: string): Window => ({ kind: 'month', count: 1, startsOn, zone });
  assert.deepEqual(starts(month(31, 'UTC'), '2028-02-01T00:00:00Z'), [
    '2028-01-31T00:00:00.000Z',
    '2028-02-29T00:00:00.000Z',
    '2028-03-31T00:00:00.000Z',
  ]);
  assert.deepEqual(starts(month(1, 'Europe/Berlin'), '2026-03-15T00:00:00Z'), [
    '2026-02-28T23:00:00.000Z',
    '2026-03-31T22:00:00.000Z',
    '2026-04-30T22:00:00.000Z',
  ]);
  assert.deepEqual(starts(month(1, 'Asia/Kathmandu'), '2026-01-15T00:00:00Z')[1], '2026-01-31T18:15:00.000Z');
});
