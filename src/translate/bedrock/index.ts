import type { ProviderSide } from '../side.ts';
import { readAnswer, readError, readStream } from './read-answer.ts';
import { writePrompt } from './write-prompt.ts';

/** Bedrock's Converse, which is the same for every maker's models. */
export const bedrockProvider: ProviderSide = {
  writePrompt,
  readAnswer,
  readError,
  readStream,
  route: null,
  path: ({ basePath, model, target }) => `${basePath}/model/${encodeURIComponent(model)}/${target.action}`,
  action: ({ stream }) => (stream ? 'converse-stream' : 'converse'),
};
