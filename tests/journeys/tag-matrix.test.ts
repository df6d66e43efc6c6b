import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CALL_ROUTES } from '#gateway';
import { startWorld, type World } from '#world';
import { allAttributed, send, type Attributed } from './attributed.ts';
import { makeKey } from './record.ts';
import { DIALECT_SETTINGS, DIALECTS, NO_DIALECT, type Dialect, type Said } from './tag-dialects.ts';

type Variant = { readonly route: string; readonly stream: boolean };

/** What each route needs beside tags. A route that is not here fails the first test. */
const REQUESTS: Readonly<
  Record<string, { readonly request: object; readonly streams: boolean; readonly operation: string }>
> = {
  '/chat/completions': {
    request: { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hello' }] },
    streams: true,
    operation: 'chat',
  },
  '/completions': {
    request: { model: 'gpt-3.5-turbo-instruct', prompt: 'Hello' },
    streams: true,
    operation: 'text_completion',
  },
  '/embeddings': {
    request: { model: 'text-embedding-3-small', input: 'Hello' },
    streams: false,
    operation: 'embeddings',
  },
};

const VARIANTS: readonly Variant[] = Object.entries(REQUESTS).flatMap(([route, { streams }]) =>
  [false, ...(streams ? [true] : [])].map((stream) => ({ route, stream })),
);

type KeyKind = 'a plain key' | 'a key with defaults and a lock' | 'a key whose team has them';

const KEY_KINDS: readonly KeyKind[] = ['a plain key', 'a key with defaults and a lock', 'a key whose team has them'];

/** What the key or its team adds to every call, and what it lets no call change. */
const ADDED = { tags: ['feature:by-key', 'region:eu', 'AWS_IAM_PROD', 'org/platform'], locks: { team: 'locked' } };

type Expected = Said & Pick<Attributed, 'provenance' | 'conflicts'>;

/** Rule by rule: locks first, then what was said, then defaults; labels and paths together; what lost is a conflict. */
function expectedOf({ said, source }: Dialect, kind: KeyKind): Expected {
  const declared = Object.fromEntries(Object.keys(said.tags).map((key) => [key, 'declared']));
  if (kind === 'a plain key') return { ...said, provenance: declared, conflicts: [] };
  const adder = kind === 'a key with defaults and a lock' ? 'key_default' : 'team_default';
  const { team, feature } = said.tags;
  return {
    ...said,
    tags: { feature: 'by-key', region: 'eu', ...said.tags, ...ADDED.locks },
    provenance: { feature: 'default', region: 'default', ...declared, team: 'locked' },
    labels: union(said.labels, ['AWS_IAM_PROD']),
    paths: union(said.paths, ['org/platform']),
    conflicts: [
      ...(team === undefined ? [] : [{ key: 'team', value: team, source }]),
      ...(feature === undefined ? [] : [{ key: 'feature', value: 'by-key', source: adder }]),
    ],
  };
}

function union(left: readonly string[], right: readonly string[]): string[] {
  return [...new Set([...left, ...right])];
}

function seenIn(entry: Attributed): Expected {
  const { tags, labels, paths, sessionId, sessionPath, traceId, provenance, conflicts } = entry;
  return { tags, labels, paths, sessionId, sessionPath, traceId, provenance, conflicts };
}

describe('C1: every route × every dialect × streamed or not × declared, default and locked', () => {
  let world: World;
  const keys = new Map<KeyKind, string>();

  before(async () => {
    world = await startWorld({ config: () => DIALECT_SETTINGS });
    const { gateway } = world;
    const team = { team_id: 'matrix', metadata: { tags: ADDED.tags }, locked_tags: ADDED.locks };
    const made = await fetch(`${gateway.url}/team/new`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(team),
    });
    assert.equal(made.status, 200, await made.text());
    keys.set('a plain key', (await makeKey(gateway, {})).key);
    const own = { metadata: { tags: ADDED.tags }, locked_tags: ADDED.locks };
    keys.set('a key with defaults and a lock', (await makeKey(gateway, own)).key);
    keys.set('a key whose team has them', (await makeKey(gateway, { team_id: 'matrix' })).key);
  });
  after(() => world.close());

  test('every route that costs money is in the matrix', () => {
    assert.deepEqual([...CALL_ROUTES.keys()].toSorted(), Object.keys(REQUESTS).toSorted());
    for (const [route, { operation }] of CALL_ROUTES) assert.equal(operation, REQUESTS[route]?.operation);
  });

  for (const { route, stream } of VARIANTS) {
    const used = DIALECTS.filter(({ only }) => only === undefined || only === REQUESTS[route]?.operation);
    for (const kind of KEY_KINDS) {
      test(`${route}${stream ? ', streamed' : ''}, ${kind}`, async (t) => {
        const callIds: string[] = [];
        for (const dialect of used) callIds.push(await callAs(dialect, { route, stream, key: keys.get(kind) ?? '' }));
        const entries = new Map(allAttributed(world.gateway.dataDir).map((entry) => [entry.callId, entry]));
        for (const [index, dialect] of used.entries()) {
          await t.test(dialect.name, () => {
            const entry = entries.get(callIds[index] ?? '');
            assert.ok(entry !== undefined, 'the call has no entry');
            assert.deepEqual(seenIn(entry), expectedOf(dialect, kind));
            assert.deepEqual(
              [entry.operation, entry.stream, entry.state],
              [REQUESTS[route]?.operation, stream, 'exact'],
            );
          });
        }
      });
    }
  }

  test('each call is one line of the upstream’s bill and one entry, for the same money', async () => {
    const bill = await world.upstream.bill();
    const entries = allAttributed(world.gateway.dataDir);
    assert.equal(entries.length, bill.entries.length);
    assert.equal(
      entries.reduce((sum, { cost }) => sum + (cost ?? -1n), 0n),
      bill.total,
    );
  });

  test('none of the headers and none of the fields reached the provider', async () => {
    const names = new Set(DIALECTS.flatMap(({ headers }) => Object.keys(headers).map((name) => name.toLowerCase())));
    const received = await world.upstream.received();
    assert.ok(received.length > 300);
    // A field that is none of OpenAI's is refused by the upstream, so an answered call is the proof for the body.
    for (const { headers } of received)
      assert.deepEqual(
        Object.keys(headers).filter((name) => names.has(name)),
        [],
      );
  });

  async function callAs(dialect: Dialect, call: Variant & { readonly key: string }): Promise<string> {
    const { request } = REQUESTS[call.route] ?? { request: {} };
    const body = { ...request, ...(call.stream ? { stream: true } : {}), ...dialect.fields };
    const answer = await send(world.gateway, {
      path: `/v1${call.route}`,
      key: call.key,
      headers: dialect.headers,
      body,
    });
    assert.equal(answer.status, 200, `${dialect.name}: ${answer.text}`);
    return answer.callId;
  }
});

test('C1: the matrix has a call without tags, body dialects and header dialects', () => {
  assert.ok(DIALECTS.includes(NO_DIALECT));
  for (const source of ['body', 'header'] as const) {
    assert.ok(DIALECTS.filter((dialect) => dialect.source === source).length > 10);
  }
});
