import type { Dialect, Operation } from '../dialect.ts';
import { chat } from './chat.ts';
import { completions } from './completions.ts';
import { embeddings } from './embeddings.ts';
import { deleteFile, listFiles, listModels, moderations, readFile, uploadFile } from './free-routes.ts';
import { editImages, generateImages, varyImages } from './images.ts';
import { checkAuthorization, refusal } from './refusals.ts';
import { responses } from './responses.ts';
import { speech } from './speech.ts';
import { transcriptions } from './transcription.ts';

const ROUTES: readonly (readonly [method: string, path: RegExp, operation: Operation])[] = [
  ['POST', /^\/v1\/chat\/completions$/, chat],
  ['POST', /^\/v1\/completions$/, completions],
  ['POST', /^\/v1\/embeddings$/, embeddings],
  ['POST', /^\/v1\/responses$/, responses],
  ['POST', /^\/v1\/images\/generations$/, generateImages],
  ['POST', /^\/v1\/images\/edits$/, editImages],
  ['POST', /^\/v1\/images\/variations$/, varyImages],
  ['POST', /^\/v1\/audio\/trans(?:criptions|lations)$/, transcriptions],
  ['POST', /^\/v1\/audio\/speech$/, speech],
  ['POST', /^\/v1\/moderations$/, moderations],
  ['GET', /^\/v1\/models$/, listModels],
  ['POST', /^\/v1\/files$/, uploadFile],
  ['GET', /^\/v1\/files$/, listFiles],
  ['GET', /^\/v1\/files\/[^/]+(\/content)?$/, readFile],
  ['DELETE', /^\/v1\/files\/[^/]+$/, deleteFile],
];

/** Owns whatever no other dialect does, as an unknown address is answered in its envelope. */
export const openai: Dialect = {
  name: 'openai',
  owns: () => true,
  authorize: checkAuthorization,
  operation: (received) => ROUTES.find(([method, path]) => method === received.method && path.test(received.path))?.[2],
  refusal,
};
