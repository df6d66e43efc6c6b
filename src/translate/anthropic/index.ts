import type { CallerSide, ProviderSide } from '../side.ts';
import { readAnswer, readError, readStream } from './read-answer.ts';
import { readPrompt } from './read-prompt.ts';
import { writeAnswer, writeError } from './write-answer.ts';
import { writePrompt } from './write-prompt.ts';
import { writeStream } from './write-stream.ts';

const ROUTE = '/messages';

/** Anthropic's messages. */
export const anthropicCaller: CallerSide = { readPrompt, writeAnswer, writeError, writeStream };

export const anthropicProvider: ProviderSide = {
  writePrompt,
  readAnswer,
  readError,
  readStream,
  route: ROUTE,
  // A base URL is written with and without the version.
  path: ({ basePath }) => `${basePath.replace(/\/v1$/, '')}/v1${ROUTE}`,
  action: () => '',
};
