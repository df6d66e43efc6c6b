import {
  anthropicCountTokens,
  anthropicMessages,
  bedrockConverse,
  bedrockInvoke,
  cohereChat,
  cohereEmbed,
  cohereRerank,
  geminiCountTokens,
  geminiEmbed,
  geminiGenerate,
  NO_TARGET,
  openAiChat,
  openAiCompletions,
  openAiEmbeddings,
  openAiImages,
  openAiModerations,
  openAiResponses,
  openAiSpeech,
  openAiTranscription,
  passReceipt,
  passThrough,
  type Dialect,
  type RequestTarget,
  type Wire,
} from '#wires';
import type { Choice } from './upstreams.ts';

/**
 * What a route costs: `metered` by the usage in its answers, `free` because its provider charges nothing for it,
 * `unpriced` because it starts work that is billed and whose answer does not say how much, or told `later`, by the results of
 * a batch.
 */
export type Billing = 'metered' | 'free' | 'unpriced' | 'later';

/** What a route adds to a call: its OpenTelemetry operation name, and its format. */
export type CallRoute = {
  readonly operation: string;
  readonly dialect: Dialect;
  readonly wire: Wire;
  readonly billing: Billing;
};

/** A request's route, and where it goes at the provider. */
export type RoutedCall = {
  readonly route: CallRoute;
  readonly method: string;
  /** Under the root of the provider's API for this dialect; null where the model is part of it (Gemini, Bedrock). */
  readonly upstreamPath: string | null;
  readonly target: RequestTarget;
};

export type RequestLine = {
  readonly method: string;
  /** As it was sent, and without `/v1` or `/api/v1`. */
  readonly whole: string;
  readonly path: string;
  readonly query: string;
  /** Anthropic's clients say so in a header, as some of their paths are OpenAI's too. */
  readonly anthropic: boolean;
};

function metered(operation: string, wire: Wire, billing: Billing = 'metered'): CallRoute {
  return { operation, dialect: wire.dialect, wire, billing };
}

/**
 * Every route that names a model in its body, by its path without `/v1`. A call is served only through the one function
 * that takes all steps: a route cannot forget to read tags, to reserve or to record.
 */
export const CALL_ROUTES: ReadonlyMap<string, CallRoute> = new Map([
  ['/chat/completions', metered('chat', openAiChat)],
  ['/completions', metered('text_completion', openAiCompletions)],
  ['/embeddings', metered('embeddings', openAiEmbeddings)],
  ['/responses', metered('responses', openAiResponses)],
  ['/images/generations', metered('image_generation', openAiImages)],
  ['/images/edits', metered('image_edit', openAiImages)],
  ['/images/variations', metered('image_variation', openAiImages)],
  ['/audio/transcriptions', metered('transcription', openAiTranscription)],
  ['/audio/translations', metered('translation', openAiTranscription)],
  ['/audio/speech', metered('speech', openAiSpeech)],
  ['/moderations', metered('moderation', openAiModerations)],
  ['/messages', metered('chat', anthropicMessages)],
  ['/messages/count_tokens', metered('count_tokens', anthropicCountTokens, 'free')],
]);

/** Cohere's, whose version is part of their name. */
const COHERE_ROUTES: ReadonlyMap<string, CallRoute> = new Map([
  ['/v2/chat', metered('chat', cohereChat)],
  ['/v2/embed', metered('embeddings', cohereEmbed)],
  ['/v2/rerank', metered('rerank', cohereRerank)],
]);

/** What may follow the colon in Gemini's paths. */
export const GEMINI_ACTIONS: ReadonlyMap<string, CallRoute> = new Map([
  ['generateContent', metered('chat', geminiGenerate)],
  ['streamGenerateContent', metered('chat', geminiGenerate)],
  ['embedContent', metered('embeddings', geminiEmbed)],
  ['batchEmbedContents', metered('embeddings', geminiEmbed)],
  ['countTokens', metered('count_tokens', geminiCountTokens, 'free')],
]);

/** What Bedrock's clients do with a model that the path names. */
const BEDROCK_ACTIONS: ReadonlyMap<string, CallRoute> = new Map([
  ['converse', metered('chat', bedrockConverse)],
  ['converse-stream', metered('chat', bedrockConverse)],
  ['invoke', metered('chat', bedrockInvoke)],
  ['invoke-with-response-stream', metered('chat', bedrockInvoke)],
]);

const BEDROCK_MODEL = /^(?:\/bedrock)?\/model\/([^/]+)\/([a-z-]+)$/;

const GEMINI_MODEL =
  /^\/(?:v1beta1?\/|v1\/|api\/v1\/)?(?:projects\/[^/]+\/locations\/[^/]+\/)?(?:publishers\/google\/)?models\/([^/:]+):([A-Za-z]+)$/;

/** Routes that no usage comes back from, by their first segments; what begins with one of them is passed through. */
type Passage = {
  readonly prefix: RegExp;
  readonly operation: string;
  readonly dialect: Dialect;
  /** Methods that start billed work; every other is free. */
  readonly billed: readonly string[];
};

const PASSAGES: readonly Passage[] = [
  { prefix: /^\/messages\/batches(\/|$)/, operation: 'batches', dialect: 'anthropic', billed: [] },
  { prefix: /^\/files(\/|$)/, operation: 'files', dialect: 'openai', billed: [] },
  { prefix: /^\/uploads(\/|$)/, operation: 'files', dialect: 'openai', billed: [] },
  { prefix: /^\/responses\/input_tokens$/, operation: 'count_tokens', dialect: 'openai', billed: [] },
  { prefix: /^\/responses\/compact$/, operation: 'responses', dialect: 'openai', billed: ['POST'] },
  { prefix: /^\/responses\/[^/]+(\/|$)/, operation: 'stored_responses', dialect: 'openai', billed: [] },
  { prefix: /^\/chat\/completions\/[^/]+(\/|$)/, operation: 'stored_completions', dialect: 'openai', billed: [] },
  { prefix: /^\/conversations(\/|$)/, operation: 'conversations', dialect: 'openai', billed: [] },
  { prefix: /^\/batches(\/|$)/, operation: 'batches', dialect: 'openai', billed: [] },
  { prefix: /^\/fine_tuning(\/|$)/, operation: 'fine_tuning', dialect: 'openai', billed: ['POST'] },
  { prefix: /^\/vector_stores(\/|$)/, operation: 'vector_stores', dialect: 'openai', billed: ['POST'] },
  { prefix: /^\/containers(\/|$)/, operation: 'containers', dialect: 'openai', billed: ['POST'] },
  { prefix: /^\/videos(\/|$)/, operation: 'videos', dialect: 'openai', billed: ['POST'] },
  { prefix: /^\/evals(\/|$)/, operation: 'evals', dialect: 'openai', billed: ['POST'] },
  { prefix: /^\/assistants(\/|$)/, operation: 'assistants', dialect: 'openai', billed: [] },
  { prefix: /^\/threads(\/|$)/, operation: 'threads', dialect: 'openai', billed: ['POST'] },
  { prefix: /^\/(?:upload\/)?v1beta\/files(\/|$)/, operation: 'files', dialect: 'gemini', billed: [] },
  { prefix: /^\/v1beta\/cachedContents(\/|$)/, operation: 'caches', dialect: 'gemini', billed: ['POST', 'PATCH'] },
  { prefix: /^\/v1beta\/batches(\/|$)/, operation: 'batches', dialect: 'gemini', billed: [] },
  { prefix: /^\/v1beta\/models\/[^/]+:\w+$/, operation: 'other', dialect: 'gemini', billed: ['POST'] },
];

const PASSED_METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'DELETE', 'PATCH', 'PUT']);

/** The route of a request; undefined for what is no call, `POST` for a call's path with another method. */
export function findRoute(line: RequestLine): RoutedCall | 'POST' | undefined {
  const { method, path, query } = line;
  const route = CALL_ROUTES.get(path) ?? COHERE_ROUTES.get(path);
  if (route !== undefined) {
    if (method === 'POST') return { route, method, upstreamPath: path, target: NO_TARGET };
    // Stored chat completions are listed with a GET on the path that makes them.
    if (!(method === 'GET' && path === '/chat/completions')) return 'POST';
  }
  for (const [shape, actions] of NAMING_PATHS) {
    const [, model = '', action = ''] = shape.exec(line.whole) ?? [];
    const named = actions.get(action);
    if (named === undefined) continue;
    if (method !== 'POST') return 'POST';
    return { route: named, method, upstreamPath: null, target: { model: decodeName(model), action, query } };
  }
  return findPassage(line);
}

/** Paths that name the model, and what they do with it. */
const NAMING_PATHS = [
  [GEMINI_MODEL, GEMINI_ACTIONS],
  [BEDROCK_MODEL, BEDROCK_ACTIONS],
] as const;

function findPassage({ method, path, query, anthropic }: RequestLine): RoutedCall | undefined {
  const passage = PASSAGES.find(({ prefix }) => prefix.test(path));
  const listsStored = method === 'GET' && path === '/chat/completions';
  if ((passage === undefined && !listsStored) || !PASSED_METHODS.has(method)) return undefined;
  const { operation, dialect, billed } = passage ?? STORED;
  const spoken = anthropic && dialect === 'openai' ? 'anthropic' : dialect;
  const createsBatch = CREATES_BATCH.test(`${method} ${path}`);
  return {
    route: {
      operation,
      dialect: spoken,
      wire: { ...(createsBatch ? passReceipt : passThrough), dialect: spoken },
      billing: createsBatch ? 'later' : billed.includes(method) ? 'unpriced' : 'free',
    },
    method,
    upstreamPath: path,
    target: { ...NO_TARGET, query },
  };
}

/** Whatever else is done to a batch, its cancellation included, costs nothing. */
const CREATES_BATCH = /^POST (?:\/messages)?\/batches$/;

const STORED: Omit<Passage, 'prefix'> = { operation: 'stored_completions', dialect: 'openai', billed: [] };

/** The path at the provider: under `/v1` in OpenAI's and Anthropic's, under `/v1beta` in Gemini's. */
export function pathAtProvider(call: RoutedCall, step: Choice, { stream }: { readonly stream: boolean }): string {
  const { upstream, model, wire } = step;
  const { target } = call;
  if (wire.far !== undefined) {
    const { basePath } = upstream;
    return wire.far.path({ basePath, model, stream, target, route: call.upstreamPath });
  }
  const { dialect } = wire;
  if (dialect === 'openai') return `${upstream.basePath}${call.upstreamPath ?? ''}${asQuery(target.query)}`;
  if (dialect === 'bedrock') return `${upstream.basePath}/model/${encodeURIComponent(model)}/${target.action}`;
  // Cohere's routes carry their version, and base URLs may, too.
  if (dialect === 'cohere') return `${upstream.basePath.replace(/\/v[12]$/, '')}${call.upstreamPath ?? ''}`;
  // A base URL is written with and without the version; Anthropic's and Google's own clients leave it out.
  const root = upstream.basePath.replace(/\/v1(?:beta)?$/, '');
  if (dialect === 'anthropic') return `${root}/v1${call.upstreamPath ?? ''}${asQuery(target.query)}`;
  const query = asQuery(withoutKey(target.query));
  if (call.upstreamPath !== null) return `${root}${call.upstreamPath}${query}`;
  return `${root}/v1beta/models/${encodeURIComponent(model)}:${target.action}${query}`;
}

function asQuery(query: string): string {
  return query === '' ? '' : `?${query}`;
}

/** Google's clients may send the key in the query: it is a key of ours. */
function withoutKey(query: string): string {
  return query
    .split('&')
    .filter((pair) => pair !== '' && !pair.startsWith('key='))
    .join('&');
}

/** A name that is no valid percent-encoding is taken as it stands: it will not be found. */
export function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
