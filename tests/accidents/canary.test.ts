import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startWorld, UPSTREAM_KEY, type Gateway, type World } from '#world';
import { allAttributed, send, type Answered, type Sent } from '../journeys/attributed.ts';
import { ask, makeKey, whenStored } from '../journeys/record.ts';

/** Parts of what must not be anywhere, so that a piece of it that is left over is found too. */
const PROMPT = 'PROMPT-CANARY-7f3a';
const PERSON = 'canary.person';
const EMAIL = `${PERSON}@example.com`;
const SECRET = 'AKIAIOSFODNN7CANARYX';
const COOKIE = 'COOKIE-CANARY-19c2';
const HARMLESS = 'harmless-canary-55';

const SETTINGS = {
  tags: {
    baggage: ['contact'],
    path_roots: { by: 'contact' },
    headers: { 'x-contact': 'contact', 'x-note': null },
    policy: { detect: { email: 'hash', secret: 'mask' }, keys: { capped: { max_values_per_day: 1 } } },
  },
};

const chat = (text: string, fields: object = {}) => ({
  model: 'gpt-4o-mini',
  messages: [{ role: 'user', content: `${PROMPT} ${text}` }],
  ...fields,
});

/** Everywhere a person or a secret can stand in a call's attribution. */
const PERSONAL: readonly Sent[] = [
  { body: chat('', { user: EMAIL }) },
  { body: chat('', { safety_identifier: EMAIL }) },
  { body: chat('', { metadata: { user_id: EMAIL } }) },
  { body: chat('', { tags: { contact: EMAIL, note: `ask ${EMAIL}, please` } }) },
  { body: chat('', { tags: ['contact:x', `contact:${EMAIL}`, EMAIL, `by/${EMAIL}/x`, `mailto://${EMAIL}`] }) },
  { body: chat('', { request_tags: [`sales/${EMAIL}`] }) },
  { body: chat('', { entity_type: 'customer', entity_id: EMAIL, session_id: EMAIL, session_path: `plan/${EMAIL}` }) },
  { body: chat('', { tags: { capped: EMAIL } }) },
  { body: chat('', { tags: { capped: `second-${EMAIL}` } }) },
  { body: chat('', { tags: { [SECRET]: 'x', credential: SECRET, [`k.${SECRET}`]: EMAIL } }) },
  { body: chat('', { tags: [`${SECRET}:x`, SECRET, `a/${SECRET}`] }) },
  { body: chat(''), headers: { 'x-apportion-tags': `contact="${EMAIL}", "${EMAIL}", a/${EMAIL}` } },
  {
    body: chat(''),
    headers: { 'x-apportion-tags': `contact=${EMAIL.replace('@', '%40')}, "${EMAIL.replace('@', '%40')}"` },
  },
  {
    body: chat(''),
    headers: { 'x-apportion-tags': `contact=${EMAIL.replace('person', '%70erson').replace('@', '%40')}` },
  },
  { body: chat(''), headers: { 'x-apportion-entity': `customer/${EMAIL}`, 'x-apportion-session': EMAIL } },
  { body: chat(''), headers: { 'x-litellm-tags': `owner:${EMAIL}`, 'x-litellm-customer-id': EMAIL } },
  {
    body: chat(''),
    headers: { 'Helicone-User-Id': EMAIL, 'Helicone-Property-Contact': EMAIL, 'Helicone-Session-Path': `/a/${EMAIL}` },
  },
  { body: chat(''), headers: { 'x-portkey-metadata': JSON.stringify({ _user: EMAIL, owner: EMAIL }) } },
  { body: chat(''), headers: { baggage: `contact=${encodeURIComponent(EMAIL)},userId=${encodeURIComponent(EMAIL)}` } },
  { body: chat(''), headers: { 'x-contact': EMAIL, 'x-note': EMAIL, 'x-trace-id': EMAIL, 'x-span-name': EMAIL } },
];

/** Ways for a prompt to end up in an error, a log line or half an entry. */
const TROUBLE: readonly Sent[] = [
  ...[
    'error=400',
    'error=500',
    'error=429',
    'fault=reset_before_headers',
    'fault=reset_after_headers',
    'fault=broken_json',
  ].map((text): Sent => ({ body: chat(text) })),
  ...['fault=cut_mid_stream', 'fault=end_without_done', 'usage=none'].map((text): Sent => ({
    body: chat(text, { stream: true }),
  })),
  { body: chat('', { model: 'unknown-model' }) },
  { body: chat('', { unknown_field: PROMPT }) },
  { body: chat('', { tags: { a: [PROMPT] } }) },
  { body: `{"model":"gpt-4o-mini","messages":"${PROMPT}` },
  { body: chat(''), key: `sk-ap-${SECRET}-no-such-key` },
  { path: '/v1/completions', body: { model: 'gpt-3.5-turbo-instruct', prompt: PROMPT } },
  { path: '/v1/embeddings', body: { model: 'text-embedding-3-small', input: [PROMPT, PROMPT] } },
  { path: '/v1/tags/check', body: chat('', { user: EMAIL }) },
  { path: '/v1/nowhere', body: chat('') },
];

describe('canaries', () => {
  let world: World;
  let gateway: Gateway;
  let key: string;
  const answers: Answered[] = [];

  before(async () => {
    // All that is ever logged.
    world = await startWorld({ config: () => SETTINGS, env: { APPORTION_LOG_LEVEL: 'trace' } });
    ({ gateway } = world);
    ({ key } = await makeKey(gateway, { key_alias: 'canary' }));
    const harmless: Sent = { body: chat('', { tags: { sign: HARMLESS } }) };
    for (const sent of [...PERSONAL, ...TROUBLE, harmless]) {
      answers.push(await send(gateway, { key, ...sent, headers: { cookie: `session=${COOKIE}`, ...sent.headers } }));
    }
    await whenStored(gateway);
  });
  after(() => world.close());

  /** Every file of the data directory, what the process printed, its metrics, and what its API says of the calls. */
  async function places(): Promise<Map<string, string>> {
    const found = new Map<string, string>([['the output', gateway.output()]]);
    for (const entry of readdirSync(gateway.dataDir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      found.set(path.slice(gateway.dataDir.length), readFileSync(path, 'latin1'));
    }
    found.set('the metrics', await (await fetch(`${gateway.url}/metrics`)).text());
    found.set('the events', await ask(gateway, '/v1/events?limit=1000'));
    for (const { callId } of allAttributed(gateway.dataDir))
      found.set(callId, await ask(gateway, `/v1/events/${callId}`));
    for (const { headers } of answers)
      found.set(`the headers of ${headers.get('x-apportion-call-id')}`, JSON.stringify([...headers]));
    return found;
  }

  async function placesWith(canary: string): Promise<string[]> {
    const wanted = canary.toLowerCase();
    return [...(await places())].filter(([, text]) => text.toLowerCase().includes(wanted)).map(([place]) => place);
  }

  test('what may be kept is found, so that nothing found below means something', async () => {
    const found = await placesWith(HARMLESS);
    assert.ok(
      found.some((place) => place.includes('journal')),
      found.join(', '),
    );
    assert.ok(found.includes('the events'));
    assert.ok(
      answers.slice(0, PERSONAL.length).every(({ status }) => status === 200),
      JSON.stringify(answers.map(({ status }) => status)),
    );
    assert.ok(allAttributed(gateway.dataDir).length > PERSONAL.length + 5);
  });

  test('F6: keys of the provider, of callers and of the admin are nowhere, nor are cookies', async () => {
    for (const canary of [UPSTREAM_KEY, key, gateway.adminKey, COOKIE])
      assert.deepEqual(await placesWith(canary), [], canary);
  });

  test('F7: prompts are nowhere: not in entries, logs, metrics or what errors leave behind', async () => {
    assert.deepEqual(await placesWith(PROMPT), []);
  });

  test('F8: an e-mail address is nowhere, and its calls still group', async () => {
    assert.deepEqual(await placesWith(PERSON), []);
    const owners = allAttributed(gateway.dataDir)
      .map(({ tags }) => tags['contact'])
      .filter((value) => value !== undefined);
    assert.ok(owners.length >= 5);
    // One person is one group, however the address came.
    assert.equal(new Set(owners.filter((value) => value !== '(multiple)')).size, 1, owners.join(', '));
  });

  test('F8: a secret is nowhere, as value, label, path or name of a key', async () => {
    assert.deepEqual(await placesWith(SECRET), []);
  });
});
