import OpenAI from 'openai';
import type { Behaviour } from './behaviour.ts';
import { behaviourText } from './behaviour.ts';
import { seededRandom, type Random } from './random.ts';
import { tagShape, type Attribution } from './tag-shapes.ts';

/** One call of a load, decided before it is sent. */
export type PlannedCall = {
  readonly number: number;
  readonly model: string;
  readonly stream: boolean;
  readonly askUsage: boolean;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly expected: Attribution;
  readonly text: string;
  readonly maxOutputTokens: number;
};

/** `acknowledged`: the answer came whole: the JSON read and parsed, or the stream up to and including `[DONE]`. */
export type CallOutcome = {
  readonly call: PlannedCall;
  readonly acknowledged: boolean;
  /** The provider's `chatcmpl-…`; '' when no byte of the body came. */
  readonly upstreamId: string;
  readonly callId: string;
  /** From the header, or from a stream's closing comment. Exact decimal USD. */
  readonly cost: string;
  readonly costState: string;
  readonly error: string;
};

export type LoadOptions = {
  readonly calls: Iterable<PlannedCall>;
  readonly concurrency: number;
  /** Asked before every call; it may wait, for instance until a killed gateway is back. Without `/v1`. */
  readonly target: () => Promise<{ url: string; key: string }>;
  readonly onOutcome?: (outcome: CallOutcome) => void;
};

const MODELS = ['gpt-4o', 'gpt-4o-mini', 'o3', 'gpt-5-mini'] as const;
const LONG_TEXT_CHARS = 9_000;

export type PlanOptions = { readonly count: number; readonly seed: number; readonly behaviour?: Behaviour };

/** Half of them streams, half of those asking for usage, all dialects and models, one in five long enough to be cached. */
export function* planCalls({ count, seed, behaviour = {} }: PlanOptions): Generator<PlannedCall> {
  const random = seededRandom(seed);
  for (let number = 0; number < count; number += 1) {
    const { fields, expected } = tagShape(random);
    yield {
      number,
      model: random.pick(MODELS),
      stream: number % 2 === 1,
      askUsage: number % 4 === 1,
      fields,
      expected,
      text: `${promptText(random)} ${behaviourText({ seed: random.between(1, 1_000_000), ...behaviour })}`,
      maxOutputTokens: random.between(8, 500),
    };
  }
}

function promptText(random: Random): string {
  const chars = random.next() < 0.2 ? LONG_TEXT_CHARS : random.between(4, 400);
  return 'What did this cost us? '.repeat(Math.ceil(chars / 23)).slice(0, chars);
}

/** Runs the calls through the official client, at most `concurrency` at a time. Never rejects for a failed call. */
export async function driveLoad(options: LoadOptions): Promise<CallOutcome[]> {
  const outcomes: CallOutcome[] = [];
  const calls = options.calls[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = calls.next(); next.done !== true; next = calls.next()) {
      const target = await options.target();
      const outcome = await makeCall(next.value, target);
      outcomes.push(outcome);
      options.onOutcome?.(outcome);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  return outcomes;
}

type Heard = { upstreamId: string; callId: string; cost: string; costState: string; done: boolean };

export async function makeCall(call: PlannedCall, target: { url: string; key: string }): Promise<CallOutcome> {
  const heard: Heard = { upstreamId: '', callId: '', cost: '', costState: '', done: false };
  const client = new OpenAI({
    apiKey: target.key,
    baseURL: `${target.url}/v1`,
    maxRetries: 0,
    fetch: async (input, init) => listen(await fetch(input, init), heard),
  });
  const error = await (call.stream ? readStream : readAnswer)(client, call, heard).then(
    () => '',
    (reason: unknown) => (reason instanceof Error ? reason.message : String(reason)),
  );
  const { done, ...rest } = heard;
  return { call, acknowledged: error === '' && (done || !call.stream), ...rest, error };
}

function requestOf(call: PlannedCall): {
  model: string;
  messages: { role: 'user'; content: string }[];
  max_completion_tokens: number;
} {
  return {
    ...call.fields,
    model: call.model,
    messages: [{ role: 'user', content: call.text }],
    max_completion_tokens: call.maxOutputTokens,
  };
}

async function readAnswer(client: OpenAI, call: PlannedCall, heard: Heard): Promise<void> {
  const answer = await client.chat.completions.create(requestOf(call));
  heard.upstreamId = answer.id;
}

async function readStream(client: OpenAI, call: PlannedCall, heard: Heard): Promise<void> {
  const asked = call.askUsage ? { stream_options: { include_usage: true } } : {};
  const stream = await client.chat.completions.create({ ...requestOf(call), stream: true, ...asked });
  for await (const chunk of stream) heard.upstreamId = chunk.id;
}

const COST_COMMENT = /^: apportion-cost (\S+) (\S+)$/m;
const DONE_EVENT = /^data: \[DONE\]$/m;

/** The client hides the headers, the comments and whether `[DONE]` came, so they are read beside it. */
function listen(response: Response, heard: Heard): Response {
  heard.callId = response.headers.get('x-apportion-call-id') ?? '';
  heard.cost = response.headers.get('x-apportion-cost') ?? '';
  heard.costState = response.headers.get('x-apportion-cost-state') ?? '';
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (response.body === null || !isStream) return response;
  const decoder = new TextDecoder();
  let text = '';
  const ear = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      text += decoder.decode(chunk, { stream: true });
      const comment = COST_COMMENT.exec(text);
      if (comment !== null) [, heard.cost = '', heard.costState = ''] = comment;
      heard.done ||= DONE_EVENT.test(text);
      text = text.slice(-1_000);
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(ear), { status: response.status, headers: response.headers });
}
