import type { CallerSide, ProviderSide } from '../side.ts';
import { readAnswer, readError, readStream } from './read-answer.ts';
import { readPrompt } from './read-prompt.ts';
import { writeAnswer, writeError } from './write-answer.ts';
import { writePrompt } from './write-prompt.ts';
import { writeStream } from './write-stream.ts';

/** Google's `:generateContent` and `:streamGenerateContent`. */
export const geminiCaller: CallerSide = { readPrompt, writeAnswer, writeError, writeStream };

export const geminiProvider: ProviderSide = {
  writePrompt,
  readAnswer,
  readError,
  readStream,
  route: null,
  path({ basePath, model, target }) {
    const query = target.query === '' ? '' : `?${target.query}`;
    // A base URL is written with and without the version.
    return `${basePath.replace(/\/v1(?:beta)?$/, '')}/v1beta/models/${encodeURIComponent(model)}:${target.action}${query}`;
  },
  action: ({ stream }) => (stream ? 'streamGenerateContent' : 'generateContent'),
};
