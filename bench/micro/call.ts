import { createHash } from 'node:crypto';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { KeyRing, type KeyRecord } from '#accounts';
import { createRandom, scanJsonObject, systemClock, type TimestampMs } from '#std';
import { closeEntry, openEntry, type AttemptEnd, type AttemptStart } from '#ledger';
import { loadPriceBook, makePrices, type PricedAttempt } from '#pricing';
import { NO_QUIRKS, NO_TARGET, openAiChat, type AnswerContext, type RequestBody } from '#wires';
import { compileTagRules, createCardinalityGate, NO_TAGS } from '#tags';
import { makeCallId } from '#terms';
import { identify, type Identifiable } from '../../src/gateway/identify.ts';
import { NO_CALLER_ATTRIBUTION, Tagging } from '../../src/gateway/tagging.ts';
import { OUR_FIELDS } from '../../src/gateway/our-fields.ts';

/** What each step of a call costs the gateway's thread, in microseconds, without sockets. `node bench/micro/call.ts` */
const REQUEST = Buffer.from(
  JSON.stringify({
    model: 'gpt-4o-mini',
    messages: [
      { role: 'system', content: 'You are helpful.' },
      { role: 'user', content: 'hello world '.repeat(60) },
    ],
    entity_type: 'customer',
    entity_id: 'acme',
    tags: { feature: 'chat', env: 'prod' },
    max_tokens: 200,
  }),
);
const ANSWER = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1_760_000_000,
    model: 'gpt-4o-mini-2024-07-18',
    choices: [
      { index: 0, message: { role: 'assistant', content: 'The ledger keeps it. '.repeat(24) }, finish_reason: 'stop' },
    ],
    usage: {
      prompt_tokens: 210,
      completion_tokens: 96,
      total_tokens: 306,
      prompt_tokens_details: { cached_tokens: 128, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
    },
    service_tier: 'default',
  }),
);

const HEADERS = {
  host: ['localhost'],
  'content-type': ['application/json'],
  authorization: ['Bearer sk-ap-x'],
  'user-agent': ['bench'],
};
const caller = {
  id: 'key_1',
  name: 'bench',
  team: 'core',
  owner: '',
  models: [],
  attribution: NO_CALLER_ATTRIBUTION,
  access: null,
};
const random = createRandom();
const prices = makePrices(await loadPriceBook());
const tagging = new Tagging({
  rules: compileTagRules({}),
  policy: null,
  defaults: NO_TAGS,
  hashKey: Buffer.alloc(32),
  gate: createCardinalityGate({ maxKeys: 100 }),
  clock: systemClock,
});

function scan(): RequestBody {
  const found = scanJsonObject(REQUEST);
  if (!found.ok) throw new Error(found.problem);
  const members = new Map(found.members.map((member) => [member.key, member]));
  return { bytes: REQUEST, members, form: null, target: NO_TARGET };
}

const body = scan();
const asked = openAiChat.readRequest(body);
const tagged = tagging.tag({ body, headers: HEADERS, caller });
const context: AnswerContext = { request: asked, quirks: NO_QUIRKS, headers: {} };
const facts = openAiChat.readAnswer(ANSWER, context);
const attempt: PricedAttempt = {
  provider: 'openai',
  account: 'openai',
  answered: facts.model,
  asked: 'gpt-4o-mini',
  region: '',
  at: systemClock.now(),
  payer: { key: caller.id, team: caller.team, dimensions: tagged.tags.dimensions },
};
const BOUND = { inputTokens: 2_000, outputTokens: 200, n: 1 };
if (facts.usage === null) throw new Error('the answer has usage');
const { usage } = facts;
const start: AttemptStart = {
  callId: makeCallId(systemClock.now(), random(10)),
  attempt: 1,
  startedAt: systemClock.now(),
  cause: 'first',
  operation: 'chat',
  wire: openAiChat.name,
  stream: false,
  key: caller,
  tags: tagged.tags,
  requestModel: asked.model,
  route: '',
  provider: 'openai',
  priceAs: 'openai',
  region: '',
  model: asked.model,
  reserved: prices.bound(attempt, BOUND),
};
const open = openEntry(start);
const end: AttemptEnd = {
  endedAt: systemClock.now(),
  status: 'ok',
  httpStatus: 200,
  errorCode: '',
  upstreamId: facts.id,
  last: true,
  responseModel: facts.model,
  latencyMs: 12,
  firstByteMs: 11,
  usage,
  rated: prices.price(usage, attempt),
  priceBook: prices.version,
};

const KEYS = 1_000;
const TOKEN = 'sk-ap-0123456789012345678901234567890123456789';

/** One of a thousand keys, the one the call comes with. */
function keyAt(at: number): KeyRecord {
  const token = at === KEYS / 2 ? TOKEN : `sk-ap-${at}`;
  const hash = createHash('sha256').update(token).digest('hex');
  const names = {
    name: `key ${at}`,
    alias: null,
    shown: token.slice(0, 8),
    role: 'call',
    team: 'core',
    owner: '',
  } as const;
  const free = { previous: null, models: [], routes: [], addresses: [], metadata: {}, expiresAt: null, blocked: false };
  const made = { createdAt: 0 as TimestampMs, deletedAt: null, revision: 1 };
  return { id: `key_${at}`, hash, ...names, ...free, ...made };
}

const ring = new KeyRing(
  { revision: 1, adminKeyHash: null, keys: Array.from({ length: KEYS }, (_, at) => keyAt(at)) },
  { clock: systemClock, adminKey: null },
);
const identifyDeps = { keys: () => ring, trustedProxies: { has: () => false } };
const request = new IncomingMessage(new Socket());
request.headers.authorization = `Bearer ${TOKEN}`;
const asking: Identifiable = { request, dialect: 'openai' };

/** Of these, the steps before a call is sent that know who calls, for whom, and whether it may. */
const ADMITTING = new Set(['identify the key', 'resolve tags and policy', 'bound the cost', 'expect the cost']);

const STEPS: readonly (readonly [string, () => unknown])[] = [
  ['identify the key', () => identify(identifyDeps, asking)],
  ['scan the request', scan],
  ['read what the call path needs', () => openAiChat.readRequest(body)],
  ['resolve tags and policy', () => tagging.tag({ body, headers: HEADERS, caller })],
  [
    'write the upstream request',
    () =>
      openAiChat.writeRequest(body, {
        model: 'gpt-4o-mini',
        askUsage: false,
        drop: OUR_FIELDS,
        metadata: { action: 'keep' },
      }),
  ],
  ['bound the cost', () => prices.bound(attempt, BOUND)],
  ['expect the cost', () => prices.bound(attempt, { inputTokens: 210, outputTokens: 200, n: 1 })],
  ['write the intent', () => openEntry(start)],
  ['read the answer', () => openAiChat.readAnswer(ANSWER, context)],
  ['rate it', () => prices.price(usage, attempt)],
  ['write the entry', () => closeEntry(open, start, end)],
];

const ROUNDS = 20_000;
let total = 0;
let admitting = 0;
for (const [name, step] of STEPS) {
  for (let round = 0; round < ROUNDS; round += 1) step();
  const started = systemClock.elapsedMs();
  for (let round = 0; round < ROUNDS; round += 1) step();
  const microseconds = ((systemClock.elapsedMs() - started) * 1000) / ROUNDS;
  total += microseconds;
  if (ADMITTING.has(name)) admitting += microseconds;
  process.stdout.write(`${microseconds.toFixed(2).padStart(7)} µs  ${name}\n`);
}
process.stdout.write(`${total.toFixed(2).padStart(7)} µs  together\n`);
process.stdout.write(`${admitting.toFixed(2).padStart(7)} µs  key, tags and admission\n`);
