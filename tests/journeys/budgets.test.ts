import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BudgetRecord } from '#accounts';
import { pico, picoText, startGateway, until, type Gateway } from '#world';
import { send, type Answered, type Sent } from './attributed.ts';
import { startHoldingUpstream, type HoldingUpstream } from './holding-upstream.ts';
import { makeKey, recorded } from './record.ts';
import { putRules } from './rules.ts';

const CALLS = 200;
const FITTING = 10n;
const WAIT_MS = 90_000;

type Scope = BudgetRecord['scope'];

/** One kind of scope, and a call that is in it and in no other. */
type Kind = {
  readonly scope: (keyId: string) => Scope;
  readonly key?: Readonly<Record<string, unknown>>;
  readonly model?: string;
  readonly tags?: string;
};

const is = (value: string) => ({ kind: 'is', value }) as const;
const each = { kind: 'each' } as const;

const KINDS: Readonly<Record<string, Kind>> = {
  key: { scope: (id) => [{ on: 'key', values: is(id) }] },
  'each key of a team': {
    scope: () => [
      { on: 'key', values: each },
      { on: 'team', values: is('kt') },
    ],
    key: { team_id: 'kt' },
  },
  team: { scope: () => [{ on: 'team', values: is('growth') }], key: { team_id: 'growth' } },
  owner: { scope: () => [{ on: 'owner', values: is('ann') }], key: { user_id: 'ann' } },
  model: { scope: () => [{ on: 'model', values: is('gpt-4.1') }], model: 'gpt-4.1' },
  provider: { scope: () => [{ on: 'provider', values: is('west') }], model: 'west/gpt-4o-mini' },
  route: { scope: () => [{ on: 'route', values: is('fast') }], model: 'fast' },
  dimension: { scope: () => [{ on: 'dimension', key: 'feature', values: is('chat') }], tags: 'feature=chat' },
  'each value of a dimension': { scope: () => [{ on: 'dimension', key: 'cell', values: each }], tags: 'cell=a7' },
  'a path of values': { scope: () => [{ on: 'dimension', key: 'org', values: is('eng') }], tags: 'org=eng/search' },
  entity: { scope: () => [{ on: 'entity', type: 'customer', values: is('acme') }], tags: 'customer=acme' },
  'each entity': { scope: () => [{ on: 'entity', type: 'project', values: each }], tags: 'project=apollo' },
  label: { scope: () => [{ on: 'label', label: 'beta' }], tags: 'beta' },
  path: { scope: () => [{ on: 'label', label: 'US/CA' }], tags: 'US/CA/SF' },
};

describe('strict budgets', () => {
  let upstream: HoldingUpstream;
  let gateway: Gateway;
  const keys = new Map<string, { readonly id: string; readonly secret: string }>();

  before(async () => {
    upstream = await startHoldingUpstream();
    const provider = { wire: 'openai', base_url: upstream.baseUrl, api_key: upstream.apiKey, price_as: 'openai' };
    gateway = await startGateway({
      config: { providers: { east: provider, west: provider }, models: { fast: 'east/gpt-4o-mini' } },
    });
    for (const [name, { key = {} }] of Object.entries(KINDS)) {
      const made = await makeKey(gateway, { ...key });
      keys.set(name, { id: String(made['token_id'] ?? made['token']), secret: made.key });
    }
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });

  function sentOf(name: string, stream: boolean): Sent {
    const { model = 'gpt-4o-mini', tags = '' } = KINDS[name] ?? assert.fail(name);
    const body = { model, stream, max_completion_tokens: 50, messages: [{ role: 'user', content: 'Hold.' }] };
    const key = keys.get(name)?.secret ?? assert.fail(name);
    return { body, key, headers: tags === '' ? {} : { 'x-apportion-tags': tags } };
  }

  /** A call that is answered, and its entry. */
  async function called(sent: Sent) {
    const answering = send(gateway, sent);
    await arrived(1);
    upstream.release();
    const { status, callId, text } = await answering;
    assert.equal(status, 200, text);
    return recorded(gateway.dataDir).find((entry) => entry.callId === callId) ?? assert.fail(callId);
  }

  const arrived = (count: number) =>
    until(`${count} calls at the upstream`, WAIT_MS, async () =>
      upstream.waiting().length >= count ? true : undefined,
    );

  for (const stream of [false, true]) {
    const form = stream ? 'streams' : 'answers at once';
    test(`200 calls at once against a budget that fits ten: ten are admitted, whatever its scope (${form})`, async () => {
      await putRules(gateway, {});
      const filled = [];
      for (const name of Object.keys(KINDS)) {
        const one = await called(sentOf(name, stream));
        const scope = KINDS[name]?.scope(one.keyId) ?? [];
        filled.push({ name, scope, bound: one.reserved ?? assert.fail(name), ...spentBy(one.keyId) });
      }
      await putRules(gateway, { budgets: filled.map(fittingTen) });
      for (const { name, bound } of filled) await fill(name, { sent: sentOf(name, stream), bound });
    });
  }

  test('so it is for everything, and for calls without a customer', async () => {
    const sent = sentOf('each value of a dimension', true);
    for (const [name, scope] of Object.entries({
      everything: [],
      'no customer': [{ on: 'dimension', key: 'customer', values: { kind: 'none' } }],
    } satisfies Record<string, Scope>)) {
      await putRules(gateway, {});
      const bound = (await called(sent)).reserved ?? assert.fail(name);
      const all = recorded(gateway.dataDir).filter(({ tags }) => scope.length === 0 || tags['customer'] === undefined);
      await putRules(gateway, { budgets: [fittingTen({ name, scope, bound, spent: sumOf(all) })] });
      await fill(name, { sent, bound });
    }
  });

  type Filled = { readonly name: string; readonly scope: Scope; readonly bound: bigint; readonly spent: bigint };

  const fittingTen = ({ name, scope, bound, spent }: Filled) => ({
    id: name,
    scope,
    limit: picoText(spent + FITTING * bound),
  });
  const sumOf = (entries: readonly { readonly cost: bigint | null }[]) =>
    entries.reduce((sum, { cost }) => sum + (cost ?? 0n), 0n);
  /** Each kind has a key of its own. */
  const spentBy = (keyId: string) => ({
    spent: sumOf(recorded(gateway.dataDir).filter((entry) => entry.keyId === keyId)),
  });

  /** All at once; those that are refused are back before the first that was admitted is answered. */
  async function fill(name: string, { sent, bound }: { readonly sent: Sent; readonly bound: bigint }): Promise<void> {
    const known = recorded(gateway.dataDir).length;
    let refused = 0;
    const answers = Array.from({ length: CALLS }, async () => {
      const answer = await send(gateway, sent);
      if (answer.status !== 200) refused += 1;
      return answer;
    });
    await until(`${name}: ${CALLS} decisions`, WAIT_MS, async () =>
      refused + upstream.waiting().length === CALLS ? true : undefined,
    );
    const admitted = upstream.waiting().length;
    upstream.release();
    const done = await Promise.all(answers);
    assert.deepEqual([name, admitted, refused], [name, Number(FITTING), CALLS - Number(FITTING)]);
    assert.equal(done.filter(({ status }) => status === 200).length, Number(FITTING));
    const { code, budget } = errorOf(done.find(({ status }) => status === 402) ?? assert.fail(name));
    const { needed } = budget;
    assert.deepEqual([code, budget['budget'], pico(needed ?? '')], ['budget_exceeded', name, bound]);
    assert.equal(recorded(gateway.dataDir).length, known + Number(FITTING));
  }

  function errorOf({ text }: Answered): { readonly code: string; readonly budget: Record<string, string | null> } {
    return JSON.parse(text).error;
  }
});
