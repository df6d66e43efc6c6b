import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { pico, picoText, startGateway, until, type Gateway } from '#world';
import { send, type Answered, type Sent } from './attributed.ts';
import { startHoldingUpstream, type HoldingUpstream } from './holding-upstream.ts';
import { makeKey, recorded } from './record.ts';
import { clearRules, putBudget, standingOf } from './rules.ts';

const CALLS = 200;
const FITTING = 10n;
const WAIT_MS = 90_000;

type Scope = Readonly<Record<string, unknown>>;

/** One kind of scope, and a call that is in it and in no other. */
type Kind = {
  readonly scope: (keyId: string) => Scope;
  readonly key?: Readonly<Record<string, unknown>>;
  readonly model?: string;
  readonly tags?: string;
};

const each = { each: true };

const KINDS: Readonly<Record<string, Kind>> = {
  key: { scope: (id) => ({ 'key.id': id }) },
  'each key of a team': { scope: () => ({ 'key.id': each, 'key.team': 'kt' }), key: { team_id: 'kt' } },
  team: { scope: () => ({ 'key.team': 'growth' }), key: { team_id: 'growth' } },
  owner: { scope: () => ({ 'key.owner': 'ann' }), key: { user_id: 'ann' } },
  model: { scope: () => ({ model: 'gpt-4.1' }), model: 'gpt-4.1' },
  provider: { scope: () => ({ provider: 'west' }), model: 'west/gpt-4o-mini' },
  route: { scope: () => ({ route: 'fast' }), model: 'fast' },
  dimension: { scope: () => ({ 'tags.feature': 'chat' }), tags: 'feature=chat' },
  'each value of a dimension': { scope: () => ({ 'tags.cell': each }), tags: 'cell=a7' },
  'a path of values': { scope: () => ({ 'tags.org': 'eng' }), tags: 'org=eng/search' },
  entity: { scope: () => ({ 'tags.customer': 'acme' }), tags: 'customer=acme' },
  'each other entity': { scope: () => ({ 'tags.project': { unlisted: true } }), tags: 'project=apollo' },
  label: { scope: () => ({ label: 'beta' }), tags: 'beta' },
  path: { scope: () => ({ label: 'US/CA' }), tags: 'US/CA/SF' },
};

describe('strict budgets', () => {
  let upstream: HoldingUpstream;
  let gateway: Gateway;
  const keys = new Map<string, string>();

  before(async () => {
    upstream = await startHoldingUpstream();
    const provider = { wire: 'openai', base_url: upstream.baseUrl, api_key: upstream.apiKey, price_as: 'openai' };
    gateway = await startGateway({
      config: { providers: { east: provider, west: provider }, models: { fast: 'east/gpt-4o-mini' } },
    });
    // Waits for administration.
    await clearRules(gateway);
    for (const [name, { key = {} }] of Object.entries(KINDS)) keys.set(name, (await makeKey(gateway, key)).key);
  });
  after(async () => {
    await gateway.close();
    await upstream.close();
  });

  function sentOf(name: string, stream: boolean): Sent {
    const { model = 'gpt-4o-mini', tags = '' } = KINDS[name] ?? assert.fail(name);
    const body = { model, stream, max_completion_tokens: 50, messages: [{ role: 'user', content: 'Hold.' }] };
    const key = keys.get(name) ?? assert.fail(name);
    return { body, key, headers: tags === '' ? {} : { 'x-apportion-tags': tags } };
  }

  /** A call that is answered, and its entry. */
  async function called(sent: Sent) {
    const answering = send(gateway, sent);
    await until('a call at the upstream', WAIT_MS, async () => (upstream.waiting().length > 0 ? true : undefined));
    upstream.release();
    const { status, callId, text } = await answering;
    assert.equal(status, 200, text);
    return recorded(gateway.dataDir).find((entry) => entry.callId === callId) ?? assert.fail(callId);
  }

  const sumOf = (entries: readonly { readonly cost: bigint | null }[]) =>
    entries.reduce((sum, { cost }) => sum + (cost ?? 0n), 0n);

  type Filled = {
    readonly id: string;
    readonly scope: Scope;
    readonly sent: Sent;
    readonly bound: bigint;
    readonly spent: bigint;
  };

  for (const stream of [false, true]) {
    const form = stream ? 'streams' : 'answers at once';
    test(`200 calls at once against a budget that fits ten: ten are admitted, whatever its scope (${form})`, async () => {
      await clearRules(gateway);
      for (const [name, { scope }] of Object.entries(KINDS)) {
        const sent = sentOf(name, stream);
        const { keyId, reserved } = await called(sent);
        // Each kind has a key of its own.
        const spent = sumOf(recorded(gateway.dataDir).filter((entry) => entry.keyId === keyId));
        await fill({
          id: `${stream ? 's' : 'a'}-${name.replaceAll(' ', '-')}`,
          scope: scope(keyId),
          sent,
          bound: reserved ?? 0n,
          spent,
        });
      }
    });
  }

  test('so it is for everything, and for calls without a customer', async () => {
    const sent = sentOf('each value of a dimension', true);
    for (const [id, scope] of [
      ['everything', {}],
      ['no-customer', { 'tags.customer': { none: true } }],
    ] as const) {
      await clearRules(gateway);
      const { reserved } = await called(sent);
      const all = recorded(gateway.dataDir).filter(({ tags }) => id === 'everything' || tags['customer'] === undefined);
      await fill({ id, scope, sent, bound: reserved ?? 0n, spent: sumOf(all) });
    }
  });

  /** All at once; those that are refused are back before the first that was admitted is answered. */
  async function fill({ id, scope, sent, bound, spent }: Filled): Promise<void> {
    await putBudget(gateway, { id, scope, limit_usd: picoText(spent + FITTING * bound) });
    const known = recorded(gateway.dataDir).length;
    let refused = 0;
    const answers = Array.from({ length: CALLS }, async () => {
      const answer = await send(gateway, sent);
      if (answer.status !== 200) refused += 1;
      return answer;
    });
    await until(`${id}: ${CALLS} decisions`, WAIT_MS, async () =>
      refused + upstream.waiting().length === CALLS ? true : undefined,
    );
    const admitted = upstream.waiting().length;
    assert.deepEqual(await standingOf(gateway, id), { spent, reserved: FITTING * bound, atRisk: 0n });
    upstream.release();
    const done = await Promise.all(answers);
    assert.deepEqual([id, admitted, refused], [id, Number(FITTING), CALLS - Number(FITTING)]);
    const { code, budget } = errorOf(done.find(({ status }) => status === 402) ?? assert.fail(id));
    assert.deepEqual([code, budget['budget'], pico(budget['needed'] ?? '')], ['budget_exceeded', id, bound]);
    const entries = recorded(gateway.dataDir);
    assert.equal(entries.length, known + Number(FITTING));
    const settled = { spent: spent + sumOf(entries.slice(known)), reserved: 0n, atRisk: 0n };
    assert.deepEqual(await standingOf(gateway, id), settled);
  }

  function errorOf({ text }: Answered): { readonly code: string; readonly budget: Record<string, string | null> } {
    return JSON.parse(text).error;
  }
});
