import { parentPort } from 'node:worker_threads';
import { invariant } from '#std';
import { estimateTokens } from './count-tokens.ts';
import type { CountRequest, CountResult } from './estimator.ts';

invariant(parentPort !== null, 'the token counter runs in a worker thread');
const port = parentPort;

port.on('message', ({ id, input, output }: CountRequest) => {
  const result: CountResult = { id, input: estimateTokens(input), output: estimateTokens(output) };
  port.postMessage(result);
});
