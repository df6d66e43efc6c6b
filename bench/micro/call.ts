import { createRandom, scanJsonObject, systemClock } from '#std';
import { closeEntry, openEntry, type AttemptEnd, type AttemptStart } from '#ledger';
import { loadPriceBook, rate, upperBound } from '#pricing';
import { openAiChat, type RequestBody } from '#wires';
import { compileTagRules, createCardinalityGate, NO_TAGS } from '#tags';
import { makeCallId } from '#terms';
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
const caller = { id: 'key_1', name: 'bench', team: 'core', owner: '', models: [], attribution: NO_CALLER_ATTRIBUTION };
const random = createRandom();
const prices = await loadPriceBook();
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
  return { bytes: REQUEST, members: new Map(found.members.map((member) => [member.key, member])) };
}

const body = scan();
const asked = openAiChat.readRequest(body);
const tagged = tagging.tag({ body, headers: HEADERS, caller });
const facts = openAiChat.readAnswer(ANSWER);
const price = prices.find({ provider: 'openai', model: 'gpt-4o-mini', at: systemClock.now() });
if (facts.usage === null) throw new Error('the answer has usage');
const { usage } = facts;
const start: AttemptStart = {
  callId: makeCallId(systemClock.now(), random(10)),
  attempt: 1,
  startedAt: systemClock.now(),
  operation: 'chat',
  stream: false,
  key: caller,
  tags: tagged.tags,
  requestModel: asked.model,
  provider: 'openai',
  model: asked.model,
  reserved: upperBound(price, { inputTokens: 2_000, outputTokens: 200, n: 1 }),
};
const open = openEntry(start);
const end: AttemptEnd = {
  endedAt: systemClock.now(),
  status: 'ok',
  httpStatus: 200,
  errorCode: '',
  upstreamId: facts.id,
  responseModel: facts.model,
  latencyMs: 12,
  firstByteMs: 11,
  usage,
  rated: rate(usage, price),
  priceBook: prices.version,
};

const STEPS: readonly (readonly [string, () => unknown])[] = [
  ['scan the request', scan],
  ['read what the call path needs', () => openAiChat.readRequest(body)],
  ['resolve tags and policy', () => tagging.tag({ body, headers: HEADERS, caller })],
  [
    'write the upstream request',
    () =>
      openAiChat.writeRequest(body, {
        model: 'gpt-4o-mini',
        stream: false,
        drop: OUR_FIELDS,
        metadata: { action: 'keep' },
      }),
  ],
  ['bound the cost', () => upperBound(price, { inputTokens: 2_000, outputTokens: 200, n: 1 })],
  ['write the intent', () => openEntry(start)],
  ['read the answer', () => openAiChat.readAnswer(ANSWER)],
  ['rate it', () => rate(usage, price)],
  ['write the entry', () => closeEntry(open, start, end)],
];

const ROUNDS = 20_000;
let total = 0;
for (const [name, step] of STEPS) {
  for (let round = 0; round < ROUNDS; round += 1) step();
  const started = systemClock.elapsedMs();
  for (let round = 0; round < ROUNDS; round += 1) step();
  const microseconds = ((systemClock.elapsedMs() - started) * 1000) / ROUNDS;
  total += microseconds;
  process.stdout.write(`${microseconds.toFixed(2).padStart(7)} µs  ${name}\n`);
}
process.stdout.write(`${total.toFixed(2).padStart(7)} µs  together\n`);
