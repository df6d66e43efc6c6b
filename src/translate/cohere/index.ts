import type { ProviderSide } from '../side.ts';
import { readAnswer, readError, readStream } from './read-answer.ts';
import { writePrompt } from './write-prompt.ts';

const ROUTE = '/v2/chat';

/** Cohere's chat, version 2. */
export const cohereProvider: ProviderSide = {
  writePrompt,
  readAnswer,
  readError,
  readStream,
  route: ROUTE,
  // A base URL is written with and without the version.
  path: ({ basePath }) => `${basePath.replace(/\/v[12]$/, '')}${ROUTE}`,
  action: () => '',
};
