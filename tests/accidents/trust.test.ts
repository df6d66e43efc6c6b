import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { pico, startWorld, type Gateway, type World } from '#world';
import { allAttributed, attributed, send, sendRefused, sendTagged } from '../journeys/attributed.ts';
import { ask, makeKey, report, whenStored } from '../journeys/record.ts';
import { rowCosts, spent } from '../journeys/spending.ts';

// A call that costs the same whatever else is in its body.
const CHAT = {
  model: 'gpt-4o-mini',
  messages: [{ role: 'user', content: 'prompt_tokens=20 completion_tokens=30' }],
};

/** Field names of our entries and of other gateways' internals, as somebody would send them to change the books. */
const INTERNAL = [
  'key_id',
  'key_name',
  'key_team',
  'key_owner',
  'key.team',
  'cost',
  'cost_state',
  'charges',
  'call_id',
  'attempt',
  'counts_call',
  'user_api_key',
  'user_api_key_hash',
  'user_api_key_team_id',
  'user_api_key_org_id',
  'user_api_key_user_id',
  'user_api_key_max_budget',
  'previous_models',
  'attempted_retries',
  'attempted_fallbacks',
  'fallback_depth',
  'inherited_tags',
  'allow_client_tags',
] as const;

describe('accidents of trust', () => {
  let world: World;
  let gateway: Gateway;

  before(async () => {
    world = await startWorld();
    ({ gateway } = world);
  });
  after(() => world.close());

  test('F1: a key that is locked to a customer bills no other, whatever its caller says and where', async () => {
    const { key } = await makeKey(gateway, { locked_tags: { customer: 'acme' } });
    const claims: { body?: object; headers?: Record<string, string> }[] = [
      { headers: { 'x-litellm-customer-id': 'globex' } },
      { headers: { 'x-litellm-end-user-id': 'globex' } },
      { headers: { 'x-apportion-entity': 'customer/globex' } },
      { headers: { 'x-apportion-tags': 'customer=globex' } },
      { body: { entity_type: 'customer', entity_id: 'globex' } },
      { body: { tags: { customer: 'globex' } } },
      { body: { user: 'globex' } },
      { body: { metadata: { tags: ['customer:globex'] } } },
    ];
    for (const { body = {}, headers = {} } of claims) {
      const call = await sendTagged(gateway, { key, headers, body: { ...CHAT, ...body } });
      assert.deepEqual(
        [call.tags['customer'], call.provenance['customer'], call.entity],
        ['acme', 'locked', 'customer/acme'],
      );
    }
    await whenStored(gateway);
    const globex = await report(gateway, { entity_type: 'customer', entity_id: 'globex' });
    assert.equal(globex.summary.total_events, 0);
    // The claim is on record, for whoever looks for it.
    const claimed = allAttributed(gateway.dataDir).filter(({ conflicts }) =>
      conflicts.some(({ value }) => value === 'globex'),
    );
    assert.ok(claimed.length >= claims.length - 2, `${claimed.length} conflicts`);
  });

  test('F2: the body’s user is what was claimed; who the key belongs to is what is proven', async () => {
    const { key } = await makeKey(gateway, { team_id: 'growth', user_id: 'alice', locked_tags: { employee: 'alice' } });
    const call = await sendTagged(gateway, {
      key,
      body: { ...CHAT, user: 'bob', tags: { employee: 'bob', team: 'sales' } },
    });
    assert.deepEqual(call.tags, { employee: 'alice', end_user: 'bob', customer: 'bob', team: 'sales' });
    assert.deepEqual([call.keyTeam, call.provenance['employee']], ['growth', 'locked']);
    await whenStored(gateway);
    const owners = new Map(rowCosts((await report(gateway, { group_by: 'key.owner' })).data));
    assert.equal(owners.get('alice'), call.cost);
    assert.equal(owners.get('bob'), undefined);
  });

  for (const level of ['metadata', 'litellm_metadata', 'headers'] as const) {
    test(`F3, F4: internal field names in ${level} change nothing but what a tag may say`, async () => {
      const { key } = await makeKey(gateway, { team_id: 'growth', user_id: 'alice' });
      const plain = await sendTagged(gateway, { key, body: CHAT });
      for (const names of [INTERNAL.slice(0, 12), INTERNAL.slice(12)]) {
        const forged = Object.fromEntries(names.map((name) => [name, 'forged']));
        const headers = level === 'headers' ? Object.fromEntries(names.map((name) => [`x-${name}`, 'forged'])) : {};
        const body = level === 'headers' ? CHAT : { ...CHAT, [level]: forged };
        const call = await sendTagged(gateway, { key, headers, body });
        assert.deepEqual([call.tags, call.keyTeam, call.cost, call.state], [plain.tags, 'growth', plain.cost, 'exact']);
        assert.deepEqual([call.labels, call.conflicts, call.sent], [[], [], []]);
      }
    });
  }

  test('F3, F4: as tags they are tags of that name, and the books stay the key’s', async () => {
    const { key } = await makeKey(gateway, { team_id: 'growth' });
    const forged = Object.fromEntries(INTERNAL.map((name) => [name, 'forged']));
    const call = await sendTagged(gateway, { key, body: { ...CHAT, tags: forged } });
    assert.deepEqual(call.tags, { ...forged, team: 'growth' });
    assert.deepEqual([call.keyTeam, call.state], ['growth', 'exact']);
    await whenStored(gateway);
    const event: { key_team: string; tags: object; cost_usd_exact: string } = JSON.parse(
      await ask(gateway, `/v1/events/${call.callId}`),
    );
    assert.deepEqual([event.key_team, event.tags], ['growth', call.tags]);
    assert.equal(pico(event.cost_usd_exact), call.cost);
    const proven = await report(gateway, { 'key.team': 'forged' });
    assert.equal(proven.summary.total_events, 0);
  });

  test('F3: prototype names are tags like any other, and no object is changed by them', async () => {
    const tags = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const body = `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}],"tags":{${tags.map((key) => `"${key}":"x"`).join(',')}}}`;
    const call = await sendTagged(gateway, { body });
    assert.deepEqual(new Map(Object.entries(call.tags)), new Map(tags.map((key) => [key, 'x'])));
    const next = await sendTagged(gateway, { body: CHAT });
    assert.deepEqual(next.tags, {});
  });

  test('F9: an answer tells its own cost and nothing of anybody else’s', async () => {
    const { key } = await makeKey(gateway, { key_alias: 'curious' });
    await sendTagged(gateway, { body: CHAT });
    const { answer, cost } = await sendTagged(gateway, { key, body: CHAT });
    const ours = [...answer.headers.keys()].filter((name) => /^x-(?:apportion|litellm)-/.test(name));
    assert.deepEqual(ours.toSorted(), [
      'x-apportion-call-id',
      'x-apportion-cost',
      'x-apportion-cost-state',
      'x-apportion-model',
      'x-apportion-provider',
      'x-litellm-call-id',
      'x-litellm-response-cost',
    ]);
    assert.equal(pico(answer.headers.get('x-apportion-cost') ?? ''), cost);
  });

  const NASTY = [
    "=cmd|' /C calc'!A0",
    '+1+1',
    '@SUM(1)',
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    `'; DROP TABLE entries; --`,
    `{a:String} %s \${x} {{y}}`,
    'a\u0000b\u0001\u001b[31m',
    'tab\tand\nnewline',
    '👩‍👩‍👧 ﷺ',
    '\u202eright to left\u202c',
    '"quotes" and \\backslashes\\',
    'comma, colon: slash\\',
    '%_*?[]',
    'null',
    'true',
    '.',
    '💸'.repeat(200),
  ];

  test('F10: values that mean something to a shell, a sheet, a page or SQL come back as they were', async () => {
    const calls = [];
    for (const [index, value] of NASTY.entries()) {
      calls.push(
        await sendTagged(gateway, {
          body: { ...CHAT, tags: { nasty: value, [`k.${index}`]: value }, session_id: value },
        }),
      );
    }
    assert.deepEqual(
      calls.map(({ tags }) => tags['nasty']),
      NASTY,
    );
    await whenStored(gateway);
    const { data } = await report(gateway, { group_by: 'tags.nasty', limit: '1000' });
    const rows = new Map(rowCosts(data));
    for (const [index, value] of NASTY.entries()) {
      assert.equal(rows.get(value), calls[index]?.cost, value);
      const escaped = value.replaceAll(/[\\,]/g, String.raw`\$&`);
      const found: { data: { id: string; tags: Record<string, string>; session_id: string }[] } = JSON.parse(
        await ask(gateway, `/v1/events?${new URLSearchParams({ tags: `nasty:${escaped}` }).toString()}`),
      );
      assert.deepEqual(
        found.data.map(({ id }) => id),
        [calls[index]?.callId],
        value,
      );
      assert.deepEqual([found.data[0]?.tags['nasty'], found.data[0]?.session_id], [value, value.trim()]);
    }
  });

  test('F10: 10 KB, half characters and wrong types are a 400 that names the field', async () => {
    const refused = (tags: unknown) => sendRefused(gateway, { body: { ...CHAT, tags } });
    assert.deepEqual(await refused({ a: 'x'.repeat(10_000) }), [400, 'tag_limit_exceeded', 'tags.a']);
    assert.deepEqual(await refused({ a: ['x'] }), [400, 'invalid_tag', 'tags.a']);
    assert.deepEqual(await refused([{ a: 'x' }]), [400, 'invalid_tag', 'tags[0]']);
    assert.deepEqual((await refused(Array.from({ length: 1_000 }, (_, index) => `t${index}`))).slice(0, 2), [
      400,
      'tag_limit_exceeded',
    ]);
    const half = `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}],"tags":{"a":"\\ud83d"}}`;
    assert.deepEqual((await sendRefused(gateway, { body: half })).slice(0, 2), [400, 'invalid_tag']);
  });

  const SMUGGLED: [name: string, pairs: string[], tags: Record<string, string>, labels: string[]][] = [
    [
      'the same tag header twice is one list',
      ['x-apportion-tags', 'team=growth', 'x-apportion-tags', 'beta'],
      { team: 'growth' },
      ['beta'],
    ],
    [
      'two values for one key are (multiple), in either order',
      ['x-apportion-tags', 'team=a', 'X-Apportion-Tags', 'team=b'],
      { team: '(multiple)' },
      [],
    ],
    [
      'a customer header sent twice is no customer of that joined name',
      ['x-litellm-customer-id', 'acme', 'x-litellm-customer-id', 'globex'],
      { customer: '(multiple)' },
      [],
    ],
    [
      'a comma inside quotes is part of the value',
      ['x-apportion-tags', 'name="Acme, Inc.", team=growth'],
      { name: 'Acme, Inc.', team: 'growth' },
      [],
    ],
    [
      'UTF-8 as bytes and as %XX are the same',
      [
        'x-apportion-tags',
        Buffer.from('city=Zürich').toString('latin1'),
        'x-bf-dim-town',
        Buffer.from('Zürich').toString('latin1'),
      ],
      { city: 'Zürich', town: 'Zürich' },
      [],
    ],
  ];
  for (const [name, pairs, tags, labels] of SMUGGLED) {
    test(`F11: ${name}`, async () => {
      const { status, callId, text } = await sendRaw(pairs);
      assert.equal(status, 200, text);
      const call = attributed(gateway, callId);
      assert.deepEqual([call.tags, call.labels], [tags, labels]);
    });
  }

  for (const [name, value] of [
    ['bytes that are no UTF-8', '\xff\xfe'],
    ['an open quote', 'a="b'],
    ['an escape cut off', 'a=%ff'],
  ] as const) {
    test(`F11: ${name} in a tag header is a 400 that names the header`, async () => {
      const { status, text } = await sendRaw(['x-apportion-tags', value]);
      const { error }: { error: { code: string; param: string } } = JSON.parse(text);
      assert.deepEqual([status, error.code, error.param], [400, 'invalid_tag', 'x-apportion-tags']);
    });
  }

  test('F11: what was resolved comes back in one ASCII header that means the same when sent again', async () => {
    const tags = { note: 'a, "b"; c=d\\', city: 'Zürich 💸', path: 'eng/search', percent: '50%41' };
    const first = await sendTagged(gateway, {
      headers: { 'x-apportion-explain': 'tags' },
      body: { ...CHAT, tags, request_tags: ['US/Köln', 'be ta', 'https://a.b/c,d'] },
    });
    const header = first.answer.headers.get('x-apportion-tags') ?? '';
    assert.match(header, /^[\x20-\x7e]+$/);
    const second = await sendTagged(gateway, { headers: { 'x-apportion-tags': header }, body: CHAT });
    assert.deepEqual(
      [second.tags, new Set(second.labels), second.paths],
      [first.tags, new Set(first.labels), first.paths],
    );
    assert.deepEqual(first.tags, tags);
  });

  test('a refused call leaves no entry and asks nobody', async () => {
    const earlier = {
      entries: allAttributed(gateway.dataDir).length,
      received: (await world.upstream.received()).length,
    };
    await sendRefused(gateway, { body: { ...CHAT, tags: { entity_id: 'x' } } });
    assert.equal(allAttributed(gateway.dataDir).length, earlier.entries);
    assert.equal((await world.upstream.received()).length, earlier.received);
  });

  /** With headers as they are on the wire: repeated, and one character per byte. */
  async function sendRaw(pairs: readonly string[]): Promise<{ status: number; callId: string; text: string }> {
    const own = [
      'host',
      new URL(gateway.url).host,
      'authorization',
      `Bearer ${gateway.adminKey}`,
      'content-type',
      'application/json',
    ];
    const sent = httpRequest(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers: [...own, ...pairs] });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve).once('error', reject);
    });
    sent.end(JSON.stringify(CHAT));
    const response = await answered;
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    return { status: response.statusCode ?? 0, callId: String(response.headers['x-apportion-call-id']), text };
  }
});

describe('F5: a new value with every call', () => {
  let world: World;

  before(async () => {
    const keys = { request: { max_values_per_day: 20 } };
    world = await startWorld({ config: () => ({ tags: { policy: { mode: 'warn', keys } } }) });
  });
  after(() => world.close());

  test('F5: beyond its cap a key has one bucket, the value stays with the entry, and totals stay exact', async () => {
    const { gateway } = world;
    const answers = await Promise.all(
      Array.from({ length: 120 }, (_, index) =>
        send(gateway, { body: { ...CHAT, tags: { request: `unique-${index}` } } }),
      ),
    );
    assert.ok(answers.every(({ status }) => status === 200));
    await whenStored(gateway);
    const entries = allAttributed(gateway.dataDir);
    const capped = entries.filter(({ tags }) => tags['request'] === '(other)');
    assert.equal(capped.length, 100);
    assert.equal(new Set(capped.map(({ overflow }) => overflow['request'])).size, 100);
    const { data, summary } = await report(gateway, { group_by: 'tags.request' });
    assert.equal(data.length, 21);
    assert.equal(
      rowCosts(data).reduce((sum, [, cost]) => sum + cost, 0n),
      spent(entries),
    );
    assert.equal(pico(summary.total_cost_exact), (await world.upstream.bill()).total);
  });

  test('F5: values of tags are no labels of metrics', async () => {
    const metrics = await (await fetch(`${world.gateway.url}/metrics`)).text();
    assert.ok(metrics.length > 0);
    assert.ok(!metrics.includes('unique-'));
  });
});
