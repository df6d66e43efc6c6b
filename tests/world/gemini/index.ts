import type { Dialect, Operation } from '../dialect.ts';
import { batchEmbedContents, countTokens, embedContent } from './embed.ts';
import { generateContent, streamGenerateContent } from './generate.ts';
import { checkKey, refusal, TARGET } from './refusals.ts';

const ACTIONS: ReadonlyMap<string, Operation> = new Map([
  ['generateContent', generateContent],
  ['streamGenerateContent', streamGenerateContent],
  ['embedContent', embedContent],
  ['batchEmbedContents', batchEmbedContents],
  ['countTokens', countTokens],
]);

export const gemini: Dialect = {
  name: 'gemini',
  owns: ({ path }) => path.startsWith('/v1beta/') || TARGET.test(path),
  authorize: checkKey,
  operation: ({ method, path }) => (method === 'POST' ? ACTIONS.get(TARGET.exec(path)?.[2] ?? '') : undefined),
  refusal,
};
