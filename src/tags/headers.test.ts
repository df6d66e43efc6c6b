import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { ApportionError, type TagSet } from '#terms';
import { NO_TAGS } from './declaration.ts';
import { readHeaderTags, type HeaderSource } from './headers.ts';
import { resolveTags } from './resolve.ts';
import { compileTagRules, DEFAULT_TAG_RULES } from './rules.ts';

const RULES = compileTagRules({ headers: { 'X-Department': 'department', 'x-foo': null }, baggage: ['team', 'env'] });

const TRACE = '0af7651916cd43dd8448eb211c80319c';

function resolve(headers: HeaderSource, rules = RULES): TagSet {
  return resolveTags(new Map([['header', readHeaderTags(headers, rules)]]), { keyTeam: '', rules });
}

/** What is set at all, dimensions by value. */
function said(headers: HeaderSource, rules = RULES): Record<string, unknown> {
  const { entity, sessionId, sessionPath, traceId, dimensions, labels, paths, conflicts, warnings } = resolve(
    headers,
    rules,
  );
  const all = {
    entity: entity === null ? null : `${entity.type}/${entity.id}`,
    session: sessionId,
    step: sessionPath,
    trace: traceId,
    ...Object.fromEntries(Array.from(dimensions, ([key, { value }]) => [`.${key}`, value])),
    labels,
    paths,
    conflicts: conflicts.map(({ key, value }) => `${key}:${value}`),
    warnings,
  };
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0)),
  );
}

test('headers that are none of ours say nothing', () => {
  const headers = { host: 'a', authorization: 'Bearer x', 'user-agent': 'curl', 'x-request-id': '1', cookie: 'team=x' };
  assert.equal(readHeaderTags(headers, RULES), NO_TAGS);
});

const CUSTOMER = { entity: 'customer/acme', '.customer': 'acme' };
const ALICE = { entity: 'customer/alice', '.customer': 'alice', '.end_user': 'alice' };

/** Every header this product reads: one that stops working stops this test (accident C8). */
const CONTRACT: readonly (readonly [string, string, Record<string, unknown>])[] = [
  [
    'x-apportion-tags',
    'team=growth, feature=summarizer, US/California, beta',
    { entity: 'team/growth', '.team': 'growth', '.feature': 'summarizer', labels: ['beta'], paths: ['US/California'] },
  ],
  ['x-apportion-entity', 'customer/acme, project/search', { ...CUSTOMER, '.project': 'search' }],
  ['x-apportion-session', 's-1', { session: 's-1' }],
  ['x-apportion-session-path', '/plan//search/', { step: 'plan/search' }],
  ['x-litellm-tags', ' a , job:7,US/CA ', { '.job': '7', labels: ['a'], paths: ['US/CA'] }],
  [
    'x-litellm-spend-logs-metadata',
    '{"job":"nightly","deep":{}}',
    { '.job': 'nightly', warnings: ['1 fields of x-litellm-spend-logs-metadata cannot be tags and were left out'] },
  ],
  ['x-litellm-customer-id', 'acme', CUSTOMER],
  ['x-litellm-end-user-id', 'alice', ALICE],
  ['x-litellm-trace-id', 't-1', { session: 't-1', trace: 't-1' }],
  ['x-litellm-session-id', 's-1', { session: 's-1' }],
  ['x-litellm-agent-id', 'planner', { '.agent': 'planner' }],
  ['helicone-property-conversation', 'support', { '.conversation': 'support' }],
  ['helicone-user-id', 'alice', ALICE],
  ['helicone-session-id', 's-1', { session: 's-1' }],
  ['helicone-session-path', '/abstract/outline', { step: 'abstract/outline' }],
  ['helicone-session-name', 'Course plan', { '.session_name': 'Course plan' }],
  [
    'x-portkey-metadata',
    '{"_user":"alice","_environment":"prod","_organisation":"acme","_prompt":"p-1","team":"growth"}',
    { ...ALICE, '.env': 'prod', '.organisation': 'acme', '.prompt': 'p-1', '.team': 'growth' },
  ],
  ['x-portkey-trace-id', 't-1', { session: 't-1', trace: 't-1' }],
  ['cf-aig-metadata', '{"team":"AI","user":12345,"test":true}', { '.user': '12345', '.test': 'true', ...teamOf('AI') }],
  ['x-bf-dim-team', 'growth', teamOf('growth')],
  ['x-bf-prom-team', 'growth', teamOf('growth')],
  ['x-bf-session-id', 's-1', { session: 's-1' }],
  ['x-tfy-metadata', '{"team":"growth","env":"prod"}', { ...teamOf('growth'), '.env': 'prod' }],
  ['x-aig-tag', 'nightly, all', { labels: ['nightly, all'] }],
  ['ai-reporting-user', 'alice', ALICE],
  ['ai-reporting-tags', 'feature:x,env:prod', { '.feature': 'x', '.env': 'prod' }],
  ['x-llmgateway-user-id', 'alice', ALICE],
  ['x-llmgateway-feature', 'x', { '.feature': 'x' }],
  ['traceparent', `00-${TRACE}-b7ad6b7169203331-01`, { session: TRACE, trace: TRACE }],
  ['x-trace-id', 't-1', { session: 't-1', trace: 't-1' }],
  ['x-span-name', 'plan', { step: 'plan' }],
  ['baggage', 'team=gr%C3%BCn;ttl=1, user=secret ,env = prod', { ...teamOf('grün'), '.env': 'prod' }],
  ['x-department', 'engineering', { '.department': 'engineering' }],
  ['x-foo', 'a/b:c', { labels: ['x-foo: a/b:c'] }],
];

function teamOf(team: string): Record<string, unknown> {
  return { entity: `team/${team}`, '.team': team };
}

for (const [name, value, expected] of CONTRACT) {
  test(`C8: the header ${name} is read`, () => {
    assert.deepEqual(said({ host: 'x', [name]: value, accept: '*/*' }), expected);
  });
}

test('baggage is not looked at as long as no key is allowed', () => {
  assert.equal(said({ baggage: 'team=x' }, DEFAULT_TAG_RULES)['.team'], undefined);
});

test('our own header beats those of vendors, which beat what travels along; the losers are conflicts', () => {
  assert.deepEqual(
    said({
      baggage: 'env=c',
      'helicone-property-env': 'b',
      'x-apportion-tags': 'env=a',
      'helicone-session-id': 's-2',
      'x-apportion-session': 's-1',
      traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
    }),
    { '.env': 'a', session: 's-1', trace: TRACE, conflicts: ['env:b', 'session_id:s-2', 'env:c'] },
  );
});

test('two vendors that disagree make the dimension (multiple)', () => {
  assert.deepEqual(said({ 'helicone-property-env': 'b', 'x-bf-dim-env': 'c' }), {
    '.env': '(multiple)',
    conflicts: ['env:b', 'env:c'],
    warnings: ['env has more than one value in one source'],
  });
});

test("Bifrost's newer spelling wins over its older one", () => {
  assert.equal(said({ 'x-bf-prom-env': 'old', 'x-bf-dim-env': 'new' })['.env'], 'new');
});

test('an explicit trace id overrides traceparent', () => {
  const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-01`, 'x-trace-id': 't-1' };
  assert.deepEqual(said(headers), { session: 't-1', trace: 't-1', conflicts: [`trace_id:${TRACE}`] });
});

for (const malformed of [
  '',
  'x',
  `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
  `ff-${TRACE}-b7ad6b7169203331-01`,
  `00-${TRACE.toUpperCase()}-b7ad6b7169203331-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
]) {
  test(`the traceparent ${JSON.stringify(malformed)} is ignored, and said so, as W3C asks`, () => {
    assert.deepEqual(said({ traceparent: malformed }), { warnings: ['traceparent is malformed and was ignored'] });
  });
}

test('the order of headers changes nothing', () => {
  const entries = CONTRACT.map(([name, value]) => [name, value] as const);
  const one = said(Object.fromEntries(entries));
  const other = said(Object.fromEntries(entries.toReversed()));
  assert.deepEqual(sorted(other), sorted(one));
});

function sorted(value: Record<string, unknown>): string[] {
  return Object.entries(value)
    .flatMap(([key, inside]) =>
      (Array.isArray(inside) ? inside : [inside]).map((one) => `${key} ${JSON.stringify(one)}`),
    )
    .toSorted();
}

test('UTF-8 in a header is read, as Node hands it over', () => {
  const raw = Buffer.from('team=grün, 東京/中央').toString('latin1');
  assert.deepEqual(said({ 'x-apportion-tags': raw }), { ...teamOf('grün'), paths: ['東京/中央'] });
});

const REFUSED: readonly (readonly [string, string, string, string])[] = [
  ['x-apportion-tags', 'team=gr\xfcn', 'invalid_tag', 'x-apportion-tags'],
  ['x-apportion-tags', 'team="a', 'invalid_tag', 'x-apportion-tags'],
  ['x-apportion-tags', 'team="a"b', 'invalid_tag', 'x-apportion-tags'],
  ['x-apportion-tags', String.raw`team="a\n"`, 'invalid_tag', 'x-apportion-tags'],
  ['x-apportion-tags', 'team=%ff', 'invalid_tag', 'x-apportion-tags'],
  ['x-apportion-tags', 'session_id=1', 'reserved_tag', 'x-apportion-tags'],
  ['x-apportion-tags', Array.from({ length: 65 }, (_, n) => `t${n}`).join(), 'tag_limit_exceeded', 'x-apportion-tags'],
  ['x-apportion-entity', 'acme', 'invalid_entity', 'x-apportion-entity'],
  ['x-apportion-entity', 'customer/', 'invalid_entity', 'x-apportion-entity'],
  ['x-apportion-entity', 'tenant/acme', 'invalid_entity', 'x-apportion-entity'],
  ['x-apportion-session', 's'.repeat(257), 'tag_limit_exceeded', 'x-apportion-session'],
  ['x-apportion-session-path', '1/2/3/4/5/6/7/8/9', 'tag_limit_exceeded', 'x-apportion-session-path'],
  ['helicone-property-2fa', 'x', 'invalid_tag', 'helicone-property-2fa'],
  ['helicone-property-env', 'v'.repeat(257), 'tag_limit_exceeded', 'helicone-property-env'],
  ['helicone-user-id', 'u'.repeat(257), 'tag_limit_exceeded', 'helicone-user-id'],
  ['x-portkey-metadata', '{"team":', 'invalid_field', 'x-portkey-metadata'],
  ['x-portkey-metadata', '{"team":"a"}, {"team":"b"}', 'invalid_field', 'x-portkey-metadata'],
  ['x-portkey-metadata', '["team"]', 'invalid_tag', 'x-portkey-metadata'],
  ['x-portkey-metadata', '{"_user":{}}', 'invalid_tag', 'x-portkey-metadata._user'],
  ['cf-aig-metadata', '{"team":["a"]}', 'invalid_tag', 'cf-aig-metadata.team'],
  ['x-tfy-metadata', '{"two words":"a"}', 'invalid_tag', 'x-tfy-metadata.two words'],
  ['x-litellm-spend-logs-metadata', 'job', 'invalid_field', 'x-litellm-spend-logs-metadata'],
  ['x-department', '(untagged)', 'reserved_tag', 'x-department'],
];

for (const [name, value, code, param] of REFUSED) {
  test(`${name}: ${JSON.stringify(value).slice(0, 40)} is refused with ${code} naming the header`, () => {
    assert.throws(
      () => readHeaderTags({ [name]: value }, RULES),
      (error) => {
        assert.ok(error instanceof ApportionError);
        assert.deepEqual({ code: error.code, param: error.param, status: error.status }, { code, param, status: 400 });
        return true;
      },
    );
  });
}

test('C17: more than five entries of cf-aig-metadata all count', () => {
  const entries = Array.from({ length: 12 }, (_, n) => [`k${n}`, String(n)] as const);
  const { dimensions } = resolve({ 'cf-aig-metadata': JSON.stringify(Object.fromEntries(entries)) });
  assert.deepEqual(
    Array.from(dimensions, ([key, { value }]) => [key, value]),
    entries,
  );
});

test('a JSON header keeps both values of a repeated key, and numbers as written', () => {
  assert.deepEqual(said({ 'cf-aig-metadata': '{"v":2.0,"v":2}' }), {
    '.v': '(multiple)',
    conflicts: ['v:2', 'v:2.0'],
    warnings: ['v has more than one value in one source'],
  });
});

/** What Node makes of raw header lines: Latin-1 text, repeats joined or apart. */
async function received(lines: readonly string[]): Promise<{ joined: HeaderSource; distinct: HeaderSource }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  const request = once(server, 'request');
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\n${lines.join('\r\n')}\r\n\r\n`);
  const [message] = await request;
  const { headers, headersDistinct } = message;
  socket.destroy();
  server.close();
  server.closeAllConnections();
  return { joined: headers, distinct: headersDistinct };
}

test('F11: a header sent twice is seen twice, and no name reaches a prototype', async () => {
  const { joined, distinct } = await received([
    'X-Apportion-Tags: team=growth, note="a, b"',
    'x-apportion-tags: env=prod',
    'Helicone-User-Id: alice',
    'helicone-user-id: mallory',
    'X-Apportion-Session: größe',
    '__proto__: polluted',
    'constructor: polluted',
    'x-bf-dim-__proto__: p',
    'x-bf-dim-constructor: c',
  ]);
  const tags = resolve(distinct);
  assert.deepEqual(Array.from(tags.dimensions, ([key, { value }]) => `${key}:${value}`).toSorted(), [
    '__proto__:p',
    'constructor:c',
    'customer:alice',
    'end_user:alice',
    'env:prod',
    'note:a, b',
    'team:growth',
  ]);
  assert.equal(tags.sessionId, 'größe');
  assert.deepEqual(tags.conflicts, [{ key: 'end_user', value: 'mallory', source: 'header' }]);
  const together = resolve(joined);
  assert.deepEqual(together.dimensions.get('env'), tags.dimensions.get('env'));
  // Node joined the two: neither of them is who the call is booked on.
  assert.equal(together.dimensions.get('end_user')?.value, 'alice, mallory');
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});
