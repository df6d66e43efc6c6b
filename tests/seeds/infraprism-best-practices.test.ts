import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startWorld, withoutPython, type Gateway, type World } from '#world';
import { send, sendTagged } from '../journeys/attributed.ts';
import { ask, whenStored } from '../journeys/record.ts';
import { wireBody } from './keyword-client.ts';

const ASK = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] };

type Avoided = {
  readonly name: string;
  /** As on the page; the page's e-mail address is protected there and shown as one, its API key is cut off. */
  readonly python: string;
  readonly tags: Readonly<Record<string, string>>;
  /** What the caller is told. Null: one call alone shows nothing. */
  readonly warned: RegExp | null;
};

const SECRET = `sk-proj-${'aB3dE5fG7h'.repeat(5)}`;

const AVOIDED: readonly Avoided[] = [
  {
    name: 'an id as a tag',
    python: 'tags = {"user_id": "12345"}  # Use entity_id instead\n',
    tags: { user_id: '12345' },
    warned: null,
  },
  {
    name: 'a time as a tag',
    python: 'tags = {"timestamp": "1704067200"}  # Automatically tracked\n',
    tags: { timestamp: '1704067200' },
    warned: /timestamp: looks like a time/,
  },
  {
    name: 'an e-mail address',
    python: 'tags = {"email": "jane@example.com"}  # PII\n',
    tags: { email: 'jane@example.com' },
    warned: /email seems to hold an e-mail address/,
  },
  {
    name: 'a secret',
    python: `tags = {"api_key": "${SECRET}"}          # Secret\n`,
    tags: { api_key: SECRET },
    warned: /api_key seems to hold a secret/,
  },
  {
    name: 'sometimes prod',
    python: 'tags = {"env": "prod"}        # Sometimes "prod"\n',
    tags: { env: 'prod' },
    warned: null,
  },
  {
    name: 'sometimes Production',
    python: 'tags = {"env": "Production"}  # Sometimes "Production"\n',
    tags: { env: 'Production' },
    warned: null,
  },
];

const TOO_MANY = `tags = {
    "feature": "chatbot",
    "env": "production",
    "version": "2.0",
    "region": "us-east",
    "datacenter": "dc1",
    "pod": "pod-3",
    # ... 20 more tags
    **{f"more_{index}": "x" for index in range(20)},
}
`;

const CALL = 'response = client.chat.completions.create(model="gpt-4o", messages=messages, tags=tags)\n';

type Finding = {
  readonly kind: string;
  readonly at: string;
  readonly key: string | null;
  readonly suggestion: string | null;
  readonly items: readonly { readonly text: string }[];
};

describe('InfraPrism: best practices, as warnings and as a report', () => {
  let world: World;
  let gateway: Gateway;

  before(async () => {
    world = await startWorld();
    ({ gateway } = world);
  });
  after(() => world.close());

  for (const { name, python, tags, warned } of AVOIDED) {
    test(`${name}: the page’s Python makes this body`, { skip: withoutPython }, async () => {
      assert.deepEqual(await wireBody(python + CALL), { ...ASK, tags });
    });

    test(`${name}: kept as sent, and ${warned === null ? 'not to be seen in one call' : 'warned of, without the value'}`, async () => {
      const call = await sendTagged(gateway, { body: { ...ASK, tags } });
      assert.deepEqual(call.tags, tags);
      assert.match(call.answer.warnings, warned ?? /^$/);
      for (const value of [SECRET, 'jane@']) assert.ok(!call.answer.warnings.includes(value));
    });
  }

  test('too many tags are kept, counted and warned of', { skip: withoutPython }, async () => {
    const body = await wireBody(TOO_MANY + CALL);
    const call = await sendTagged(gateway, { body });
    assert.equal(Object.keys(call.tags).length, 26);
    assert.match(call.answer.warnings, /the call has 26 tags/);
  });

  test('what one call does not show, the hygiene report does', async () => {
    const often = Array.from({ length: 12 }, () => ({
      env: 'production',
      user_tier: 'premium',
      request_source: 'api',
    }));
    const styles = [{ userTier: 'premium', 'request-source': 'api' }];
    const ids = Array.from({ length: 120 }, (_, index) => ({ user_id: String(20_000 + index) }));
    await Promise.all(
      [...often, ...styles, ...ids].map(async (tags) => {
        const { status, text } = await send(gateway, { body: { ...ASK, tags } });
        assert.equal(status, 200, text);
      }),
    );
    await whenStored(gateway);
    const { data }: { data: readonly Finding[] } = JSON.parse(await ask(gateway, '/v1/tags/hygiene'));
    const found = (kind: string, at: string, text: string): Finding | undefined =>
      data.find(
        (finding) => finding.kind === kind && finding.at === at && finding.items.some((item) => item.text === text),
      );

    assert.equal(found('similar', 'value', 'Production')?.suggestion, 'production');
    assert.equal(found('similar', 'key', 'userTier')?.suggestion, 'user_tier');
    assert.equal(found('similar', 'key', 'request-source')?.suggestion, 'request_source');
    assert.ok(
      data.some(({ kind, key }) => kind === 'many_values' && key === 'user_id'),
      JSON.stringify(data),
    );
    assert.equal(found('personal_data', 'value', 'jane@example.com')?.key, 'email');
    assert.equal(found('personal_data', 'value', SECRET)?.key, 'api_key');
  });
});

describe('InfraPrism: consistent values and nothing sensitive, by policy', () => {
  let world: World;

  before(async () => {
    world = await startWorld({
      config: () => ({
        tags: {
          policy: {
            mode: 'enforce',
            keys: { env: { values: ['production', 'staging'], aliases: { prod: 'production' }, fold: 'lower' } },
            detect: { email: 'reject', secret: 'reject' },
          },
        },
      }),
    });
  });
  after(() => world.close());

  for (const env of ['production', 'prod', 'Production', 'PROD']) {
    test(`env ${env} is production`, async () => {
      const { tags } = await sendTagged(world.gateway, { body: { ...ASK, tags: { env } } });
      assert.deepEqual(tags, { env: 'production' });
    });
  }

  for (const tags of [{ env: 'qa' }, { email: 'jane@example.com' }, { api_key: SECRET }]) {
    test(`${Object.keys(tags).join()} of the page’s wrong kind is refused, without repeating it`, async () => {
      const { status, text } = await send(world.gateway, { body: { ...ASK, tags } });
      const { error }: { error: { code: string; message: string; hint: string } } = JSON.parse(text);
      assert.deepEqual([status, error.code], [400, 'invalid_tag']);
      assert.ok(error.hint.length > 0);
      assert.ok(!text.includes(SECRET) && !text.includes('jane@'), text);
    });
  }
});
