import type { CallerSide, ProviderSide } from '../side.ts';
import { readAnswer, readError, readStream } from './read-answer.ts';
import { readPrompt } from './read-prompt.ts';
import { writeAnswer, writeError } from './write-answer.ts';
import { writePrompt } from './write-prompt.ts';
import { writeStream } from './write-stream.ts';

const ROUTE = '/chat/completions';

/** OpenAI's chat completions. */
export const openAiCaller: CallerSide = { readPrompt, writeAnswer, writeError, writeStream };

export const openAiProvider: ProviderSide = {
  writePrompt,
  readAnswer,
  readError,
  readStream,
  route: ROUTE,
  path: ({ basePath }) => `${basePath}${ROUTE}`,
  action: () => '',
};
