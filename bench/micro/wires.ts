// Microseconds of CPU to read one answer, and to follow one chunk of a stream. Targets: ≤ 3.5 and ≤ 1.
import { systemClock } from '#std';
import { NO_QUIRKS, openAiChat, openAiResponses, type AnswerContext, type Wire } from '#wires';

const ROUNDS = 200_000;
const REPEATS = 40;

const usage = {
  prompt_tokens: 2006,
  completion_tokens: 300,
  total_tokens: 2306,
  prompt_tokens_details: { cached_tokens: 1920, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 128, audio_tokens: 0, accepted_prediction_tokens: 0 },
};

const head = { id: 'chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT', created: 1741569952, model: 'gpt-4o-2024-08-06' };

/** About 300 tokens of prose, as a typical answer has. */
const text = 'The ledger keeps an exact account of every call, whatever happens on the way. '.repeat(16);

const answer = Buffer.from(
  JSON.stringify({
    ...head,
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: text, refusal: null }, finish_reason: 'stop' }],
    usage,
    service_tier: 'default',
    system_fingerprint: 'fp_fc9f1d7035',
  }),
);

const chunk = Buffer.from(
  `data: ${JSON.stringify({
    ...head,
    object: 'chat.completion.chunk',
    service_tier: 'default',
    choices: [{ index: 0, delta: { content: ' ledger' }, logprobs: null, finish_reason: null }],
    usage: null,
  })}\n\n`,
);

const delta = Buffer.from(
  `event: response.output_text.delta\ndata: ${JSON.stringify({
    type: 'response.output_text.delta',
    sequence_number: 7,
    item_id: 'msg_67ccd2bf17f0819081ff3bb2cf6508e6',
    output_index: 0,
    content_index: 0,
    delta: ' ledger',
  })}\n\n`,
);

function context(stream: boolean, wantsUsage: boolean): AnswerContext {
  return {
    request: { model: 'gpt-4o', stream, wantsUsage, maxOutputTokens: null, choices: 1, maxInputTokens: null },
    quirks: NO_QUIRKS,
    headers: {},
  };
}

const whole = context(false, false);
measure('chat: read an answer', ROUNDS, () => openAiChat.readAnswer(answer, whole));
measureStream('chat: a chunk, usage hidden', openAiChat, { chunk, wantsUsage: false });
measureStream('chat: a chunk, usage shown', openAiChat, { chunk, wantsUsage: true });
measureStream('responses: a delta', openAiResponses, { chunk: delta, wantsUsage: true });

/** Streams of a thousand chunks, as an answer of a thousand tokens is. */
function measureStream(name: string, wire: Wire, one: { readonly chunk: Buffer; readonly wantsUsage: boolean }): void {
  const given = context(true, one.wantsUsage);
  let meter = wire.meterStream(given);
  let left = 0;
  measure(name, ROUNDS * 2, () => {
    if (left === 0) {
      meter = wire.meterStream(given);
      left = 1_000;
    }
    left -= 1;
    return meter.push(one.chunk);
  });
}

/** The best of several runs: the machine may be doing other things. */
function measure(name: string, rounds: number, run: () => unknown): void {
  let micros = Number.POSITIVE_INFINITY;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const start = systemClock.elapsedMs();
    for (let i = 0; i < rounds / REPEATS; i++) run();
    micros = Math.min(micros, ((systemClock.elapsedMs() - start) * 1000 * REPEATS) / rounds);
  }
  process.stdout.write(`${name.padEnd(30)} ${micros.toFixed(2)} µs\n`);
}
