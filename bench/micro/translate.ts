// Microseconds of CPU to translate one call (request and whole answer), and one chunk of a stream. Targets: ≤ 60 and ≤ 5.
import { cpuUsage } from 'node:process';
import { scanJsonObject } from '#std';
import { targetsOf, translated } from '#translate';
import {
  anthropicMessages,
  geminiGenerate,
  NO_QUIRKS,
  NO_TARGET,
  openAiChat,
  type Dialect,
  type RequestBody,
  type RequestEdit,
  type Wire,
} from '#wires';

const CALLS = 8_000;
const CHUNKS = 80_000;
const REPEATS = 20;

const PROSE = 'The ledger keeps an exact account of every call, whatever happens on the way. '.repeat(16);

const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string', description: 'Where.' }, days: { type: 'integer', description: 'How long.' } },
  required: ['city', 'days'],
};

/** About 3 KB: instructions, a question, a tool that was called, its result, the next question; two tools. */
const REQUESTS: Readonly<Partial<Record<Dialect, RequestBody>>> = {
  openai: bodyOf({
    model: 'm',
    messages: [
      { role: 'system', content: PROSE.slice(0, 600) },
      { role: 'user', content: PROSE.slice(0, 300) },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Zürich"}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: PROSE.slice(0, 300) },
      { role: 'user', content: PROSE.slice(0, 300) },
    ],
    tools: ['weather', 'time'].map((name) => ({
      type: 'function',
      function: { name, description: 'Looks it up.', parameters: SCHEMA },
    })),
    max_completion_tokens: 500,
  }),
  anthropic: bodyOf({
    model: 'm',
    max_tokens: 500,
    system: PROSE.slice(0, 600),
    messages: [
      { role: 'user', content: PROSE.slice(0, 300) },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Zürich' } }] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'call_1', content: PROSE.slice(0, 300) },
          { type: 'text', text: PROSE.slice(0, 300) },
        ],
      },
    ],
    tools: ['weather', 'time'].map((name) => ({ name, description: 'Looks it up.', input_schema: SCHEMA })),
  }),
  gemini: bodyOf({
    systemInstruction: { parts: [{ text: PROSE.slice(0, 600) }] },
    contents: [
      { role: 'user', parts: [{ text: PROSE.slice(0, 300) }] },
      { role: 'model', parts: [{ functionCall: { name: 'weather', args: { city: 'Zürich' } } }] },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'weather', response: { output: PROSE.slice(0, 300) } } },
          { text: PROSE.slice(0, 300) },
        ],
      },
    ],
    tools: [
      {
        functionDeclarations: ['weather', 'time'].map((name) => ({
          name,
          description: 'Looks it up.',
          parametersJsonSchema: SCHEMA,
        })),
      },
    ],
    generationConfig: { maxOutputTokens: 500 },
  }),
};

const OPENAI_USAGE = { prompt_tokens: 900, completion_tokens: 300, total_tokens: 1200 };

/** About 300 tokens of prose. */
const ANSWERS: Readonly<Partial<Record<Dialect, Buffer>>> = {
  openai: json({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4o',
    choices: [{ index: 0, message: { role: 'assistant', content: PROSE, refusal: null }, finish_reason: 'stop' }],
    usage: OPENAI_USAGE,
  }),
  anthropic: json({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-haiku-4-5',
    content: [{ type: 'text', text: PROSE }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 900, output_tokens: 300, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
  }),
  gemini: json({
    candidates: [{ content: { parts: [{ text: PROSE }], role: 'model' }, finishReason: 'STOP', index: 0 }],
    usageMetadata: { promptTokenCount: 900, candidatesTokenCount: 300, totalTokenCount: 1200 },
    modelVersion: 'gemini-2.5-flash',
    responseId: 'abc',
  }),
};

const CHUNK: Readonly<Partial<Record<Dialect, Buffer>>> = {
  openai: Buffer.from(
    `data: ${JSON.stringify({
      id: 'chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT',
      object: 'chat.completion.chunk',
      created: 1741569952,
      model: 'gpt-4o-2024-08-06',
      choices: [{ index: 0, delta: { content: ' ledger' }, logprobs: null, finish_reason: null }],
      usage: null,
    })}\n\n`,
  ),
  anthropic: Buffer.from(
    `event: content_block_delta\ndata: ${JSON.stringify({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text: ' ledger' },
    })}\n\n`,
  ),
  gemini: Buffer.from(
    `data: ${JSON.stringify({
      candidates: [{ content: { parts: [{ text: ' ledger' }], role: 'model' }, index: 0 }],
      usageMetadata: { promptTokenCount: 900, candidatesTokenCount: 30, totalTokenCount: 930 },
      modelVersion: 'gemini-2.5-flash',
      responseId: 'kQ8gaZPpEf6W7M8P1aXB-Qk',
    })}\r\n\r\n`,
  ),
};

for (const from of [openAiChat, anthropicMessages, geminiGenerate])
  for (const to of targetsOf(from)) {
    const request = REQUESTS[from.dialect];
    const answer = ANSWERS[to.dialect];
    const chunk = CHUNK[to.dialect];
    if (request !== undefined && answer !== undefined && chunk !== undefined)
      measurePair({ from, to }, { request, answer, chunk });
  }

type Given = { readonly request: RequestBody; readonly answer: Buffer; readonly chunk: Buffer };

function measurePair(
  { from, to }: { readonly from: Wire; readonly to: Wire },
  { request, answer, chunk }: Given,
): void {
  const model = 'claude-haiku-4-5';
  const name = `${from.dialect} → ${to.dialect}`;
  const edit: RequestEdit = { model, askUsage: false, drop: new Set(), metadata: { action: 'keep' } };
  measure(`${name}: a call`, CALLS, () => {
    // A body of its own for each call: what is known of one is not read again.
    const body = { ...request };
    const wire = translated(from, { target: to, spoken: to, model });
    const asked = wire.readRequest(body);
    const sent = wire.writeRequest(body, edit);
    const context = { request: asked, quirks: NO_QUIRKS, headers: {} };
    return [sent, wire.far?.words?.showAnswer({ bytes: answer, status: 200, context })];
  });
  const wire = translated(from, { target: to, spoken: to, model });
  const context = { request: wire.readRequest(request), quirks: NO_QUIRKS, headers: {} };
  let meter = wire.meterStream(context);
  let left = 0;
  measure(`${name}: a chunk`, CHUNKS, () => {
    if (left === 0) {
      meter = wire.meterStream(context);
      left = 1_000;
    }
    left -= 1;
    return meter.push(chunk);
  });
}

/** The best of several runs, in processor time: the machine may be doing other things. */
function measure(name: string, rounds: number, run: () => unknown): void {
  let micros = Number.POSITIVE_INFINITY;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const start = cpuUsage();
    for (let i = 0; i < rounds / REPEATS; i++) run();
    const { user, system } = cpuUsage(start);
    micros = Math.min(micros, ((user + system) * REPEATS) / rounds);
  }
  process.stdout.write(`${name.padEnd(34)} ${micros.toFixed(2)} µs\n`);
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function bodyOf(fields: object): RequestBody {
  const bytes = json(fields);
  const scan = scanJsonObject(bytes);
  if (!scan.ok) throw new Error('a request is an object');
  const target = { ...NO_TARGET, model: 'm', action: 'generateContent' };
  return { bytes, members: new Map(scan.members.map((member) => [member.key, member])), form: null, target };
}
