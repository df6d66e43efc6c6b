import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CALL_ROUTES, GEMINI_ACTIONS } from '#gateway';
import { ALL_PROVIDERS, startWorld, type World } from '#world';
import { allAttributed, type Attributed } from './attributed.ts';
import { makeKey } from './record.ts';
import { DIALECT_SETTINGS, DIALECTS, NO_DIALECT, type Dialect, type Said } from './tag-dialects.ts';

type Variant = { readonly route: string; readonly stream: boolean };

/** What each route needs beside tags. A route that is not here fails the first test. */
type RouteRequest = {
  readonly path: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly operation: string;
  readonly streams?: true;
  /** Sent as a form, with a file in this field. */
  readonly file?: string;
  /** Only these take fields that are forwarded: `user`, `safety_identifier`, `metadata`. */
  readonly forwards?: readonly string[];
};

const MESSAGES = [{ role: 'user', content: 'Hello' }];
const CONTENTS = { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] };
const GEMINI = '/v1beta/models/gemini-2.5-flash';
const GEMINI_EMBED = '/v1beta/models/gemini-embedding-001';
const EMBED = { content: { parts: [{ text: 'Hello' }] } };

const openAi = (route: string, request: Partial<RouteRequest> & Pick<RouteRequest, 'operation' | 'request'>) =>
  [route, { path: `/v1${route}`, ...request }] as const;

const REQUESTS: ReadonlyMap<string, RouteRequest> = new Map([
  openAi('/chat/completions', {
    request: { model: 'gpt-4o-mini', messages: MESSAGES },
    streams: true,
    operation: 'chat',
    forwards: ['user', 'safety_identifier', 'metadata'],
  }),
  openAi('/completions', {
    request: { model: 'gpt-3.5-turbo-instruct', prompt: 'Hello' },
    streams: true,
    operation: 'text_completion',
    forwards: ['user'],
  }),
  openAi('/embeddings', {
    request: { model: 'text-embedding-3-small', input: 'Hello' },
    operation: 'embeddings',
    forwards: ['user'],
  }),
  openAi('/responses', {
    request: { model: 'gpt-5-mini', input: 'Hello' },
    streams: true,
    operation: 'responses',
    forwards: ['user', 'safety_identifier', 'metadata'],
  }),
  openAi('/images/generations', {
    request: { model: 'gpt-image-1', prompt: 'A cat' },
    streams: true,
    operation: 'image_generation',
    forwards: ['user'],
  }),
  openAi('/images/edits', {
    request: { model: 'gpt-image-1', prompt: 'A cat' },
    operation: 'image_edit',
    file: 'image',
    forwards: ['user'],
  }),
  openAi('/images/variations', {
    request: { model: 'dall-e-2' },
    operation: 'image_variation',
    file: 'image',
    forwards: ['user'],
  }),
  openAi('/audio/transcriptions', {
    request: { model: 'gpt-4o-transcribe' },
    streams: true,
    operation: 'transcription',
    file: 'file',
  }),
  openAi('/audio/translations', { request: { model: 'whisper-1' }, operation: 'translation', file: 'file' }),
  openAi('/audio/speech', { request: { model: 'tts-1', input: 'Hello', voice: 'alloy' }, operation: 'speech' }),
  openAi('/moderations', { request: { model: 'omni-moderation-latest', input: 'Hello' }, operation: 'moderation' }),
  openAi('/messages', {
    request: { model: 'claude-haiku-4-5', max_tokens: 100, messages: MESSAGES },
    streams: true,
    operation: 'chat',
    forwards: ['metadata'],
  }),
  openAi('/messages/count_tokens', {
    request: { model: 'claude-haiku-4-5', messages: MESSAGES },
    operation: 'count_tokens',
  }),
  ['generateContent', { path: `${GEMINI}:generateContent`, request: CONTENTS, operation: 'chat' }],
  ['streamGenerateContent', { path: `${GEMINI}:streamGenerateContent?alt=sse`, request: CONTENTS, operation: 'chat' }],
  ['embedContent', { path: `${GEMINI_EMBED}:embedContent`, request: EMBED, operation: 'embeddings' }],
  [
    'batchEmbedContents',
    {
      path: `${GEMINI_EMBED}:batchEmbedContents`,
      request: { requests: [{ model: 'models/gemini-embedding-001', ...EMBED }] },
      operation: 'embeddings',
    },
  ],
  ['countTokens', { path: `${GEMINI}:countTokens`, request: CONTENTS, operation: 'count_tokens' }],
]);

const VARIANTS: readonly Variant[] = [...REQUESTS].flatMap(([route, { streams }]) =>
  [false, ...(streams === true ? [true] : [])].map((stream) => ({ route, stream })),
);

/** Fields that are forwarded, which a provider refuses where it does not know them. */
const FORWARDED = ['user', 'safety_identifier'];

function takes({ forwards = [] }: RouteRequest, { fields }: Dialect): boolean {
  const keeps = FORWARDED.some((field) => field in fields && !forwards.includes(field));
  // What is left of `metadata` once our tags are out of it goes on.
  return !keeps && (!('metadata' in fields && !isOurs(fields['metadata'])) || forwards.includes('metadata'));
}

function isOurs(metadata: unknown): boolean {
  return typeof metadata === 'object' && metadata !== null && !('user_id' in metadata);
}

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
    world = await startWorld({ providers: ALL_PROVIDERS, config: () => DIALECT_SETTINGS });
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
    const routes = [...CALL_ROUTES, ...GEMINI_ACTIONS];
    assert.deepEqual(routes.map(([route]) => route).toSorted(), [...REQUESTS.keys()].toSorted());
    for (const [route, { operation }] of routes) assert.equal(operation, REQUESTS.get(route)?.operation);
  });

  for (const { route, stream } of VARIANTS) {
    const given = REQUESTS.get(route);
    if (given === undefined) throw new Error(`the matrix does not know ${route}`);
    const used = DIALECTS.filter((dialect) => takes(given, dialect));
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
              [given.operation, stream || route === 'streamGenerateContent', 'exact'],
            );
          });
        }
      });
    }
  }

  test('each call is one line of the upstream’s bill and one entry, for the same money', async () => {
    const bill = await world.upstream.bill();
    const free = new Set(['count_tokens', 'moderation']);
    const entries = allAttributed(world.gateway.dataDir).filter(({ operation }) => !free.has(operation));
    assert.equal(entries.length, bill.entries.filter(({ cost }) => cost > 0n).length);
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
    const { path, request = {}, file } = REQUESTS.get(call.route) ?? {};
    const fields = { ...request, ...(call.stream ? { stream: true } : {}), ...dialect.fields };
    const answer = await fetch(`${world.gateway.url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${call.key}`,
        ...(file === undefined ? { 'content-type': 'application/json' } : {}),
        ...dialect.headers,
      },
      body: file === undefined ? JSON.stringify(fields) : formOf(fields, file),
    });
    const text = await answer.text();
    assert.equal(answer.status, 200, `${dialect.name}: ${text}`);
    return answer.headers.get('x-apportion-call-id') ?? '';
  }
});

function formOf(fields: Readonly<Record<string, unknown>>, file: string): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields))
    form.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  form.set(file, new Blob(['RIFF, or a picture']), 'file.bin');
  return form;
}

test('C1: the matrix has a call without tags, body dialects and header dialects', () => {
  assert.ok(DIALECTS.includes(NO_DIALECT));
  for (const source of ['body', 'header'] as const) {
    assert.ok(DIALECTS.filter((dialect) => dialect.source === source).length > 10);
  }
});
