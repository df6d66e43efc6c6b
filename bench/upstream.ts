import { createServer } from 'node:http';

/**
 * Answers at once with prepared bytes, so that a round measures what stands in front of it. The strict upstream of the
 * tests spends more time on checking a request than the relay on passing it on.
 */
const USAGE = {
  prompt_tokens: 210,
  completion_tokens: 96,
  total_tokens: 306,
  prompt_tokens_details: { cached_tokens: 128, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
};
const HEAD = {
  id: 'chatcmpl-bench',
  created: 1_760_000_000,
  model: 'gpt-4o-mini-2024-07-18',
  service_tier: 'default',
  system_fingerprint: 'fp_1',
};
const TEXT = 'The ledger keeps every call, and every call keeps its cost. ';
const STREAM_CHUNKS = 12;

const ANSWER = Buffer.from(
  JSON.stringify({
    ...HEAD,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: TEXT.repeat(8), refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: USAGE,
  }),
);

const event = (choices: object[], usage: object | null): Buffer =>
  Buffer.from(`data: ${JSON.stringify({ ...HEAD, object: 'chat.completion.chunk', choices, usage })}\n\n`);

const EVENTS = [
  ...Array.from({ length: STREAM_CHUNKS }, () =>
    event([{ index: 0, delta: { content: TEXT }, logprobs: null, finish_reason: null }], null),
  ),
  event([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }], null),
  event([], USAGE),
  Buffer.from('data: [DONE]\n\n'),
];

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  let stream = false;
  request.on('data', (part: Buffer) => {
    stream ||= part.includes('"stream":true');
  });
  request.on('end', () => {
    if (!stream) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length }).end(ANSWER);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    for (const bytes of EVENTS) response.write(bytes);
    response.end();
  });
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.send?.({ url: `http://127.0.0.1:${address.port}` });
});
process.once('disconnect', () => process.exit(0));
