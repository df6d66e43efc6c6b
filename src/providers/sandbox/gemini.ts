import { completeInSandbox, countPrompt, countText, type SandboxCounts, type SandboxMessage } from './completion.ts';
import { embeddingVector } from './embedding.ts';
import {
  answerEvents,
  answerJson,
  asLimit,
  asObject,
  asObjects,
  asText,
  dataEvent,
  textOf,
  type JsonObject,
  type SandboxAnswer,
  type SandboxCall,
} from './exchange.ts';

const MODEL_PATH = /^\/v1(?:beta)?\/models\/(.+):([A-Za-z]+)$/;

function refuseGemini(message: string, status = 400): SandboxAnswer {
  const name = status === 404 ? 'NOT_FOUND' : 'INVALID_ARGUMENT';
  return answerJson({ error: { code: status, message, status: name } }, status);
}

/** Answers `/v1beta/models/{model}:{action}`; null for another path. */
export function answerGemini(call: SandboxCall): SandboxAnswer | null {
  const [, model = '', action = ''] = MODEL_PATH.exec(call.path) ?? [];
  if (model === '') return null;
  if (call.body === null) return refuseGemini('Invalid JSON payload received.');
  switch (action) {
    case 'generateContent':
    case 'streamGenerateContent':
      return generate(call, call.body, { model, action });
    case 'countTokens':
      return count(call.body);
    case 'embedContent':
      return embed(call.body);
    case 'batchEmbedContents':
      return embedBatch(call.body);
    default:
      return refuseGemini(`The sandbox has no action ${action}.`, 404);
  }
}

function messagesOf(body: JsonObject): SandboxMessage[] {
  const system = textOf(asObject(body['systemInstruction'] ?? body['system_instruction'])?.['parts']);
  const turns = asObjects(body['contents']).map((content) => ({
    role: asText(content['role']) || 'user',
    text: textOf(content['parts']),
  }));
  return system === '' ? turns : [{ role: 'system', text: system }, ...turns];
}

type Asked = { readonly model: string; readonly action: string };

function generate({ query, unique }: SandboxCall, body: JsonObject, { model, action }: Asked): SandboxAnswer {
  const messages = messagesOf(body);
  if (messages.length === 0) return refuseGemini('contents are required');
  const config = asObject(body['generationConfig'] ?? body['generation_config']) ?? {};
  const choices = asLimit(config['candidateCount'] ?? config['candidate_count']) ?? 1;
  const { tokens, finishReason, counts } = completeInSandbox({
    model,
    messages,
    maxTokens: asLimit(config['maxOutputTokens'] ?? config['max_output_tokens']),
    choices,
    keySetting: 'GEMINI_API_KEY',
  });
  const finish = { finishReason: finishReason === 'length' ? 'MAX_TOKENS' : 'STOP' };
  const candidates = (text: string, more: JsonObject): JsonObject[] =>
    Array.from({ length: choices }, (_, index) => ({ content: { parts: [{ text }], role: 'model' }, ...more, index }));
  const head = { modelVersion: model, responseId: `sandbox-${unique}` };
  if (action === 'generateContent')
    return answerJson({ candidates: candidates(tokens.join(''), finish), usageMetadata: usageOf(counts), ...head });
  const chunks = piecesOf(tokens).map(({ text, written, isLast }) => {
    // Each chunk counts what was written so far; the thoughts are counted with the last one.
    const soFar = { ...counts, text: written * choices, reasoning: isLast ? counts.reasoning : 0 };
    return { candidates: candidates(text, isLast ? finish : {}), usageMetadata: usageOf(soFar), ...head };
  });
  return query.get('alt') === 'sse' ? answerEvents(chunks.map(dataEvent)) : answerArray(chunks);
}

const TOKENS_PER_CHUNK = 8;

type Piece = { readonly text: string; readonly written: number; readonly isLast: boolean };

/** Google sends several tokens at a time. */
function piecesOf(tokens: readonly string[]): Piece[] {
  const pieces: Piece[] = [];
  for (let from = 0; from === 0 || from < tokens.length; from += TOKENS_PER_CHUNK) {
    const written = Math.min(tokens.length, from + TOKENS_PER_CHUNK);
    pieces.push({ text: tokens.slice(from, written).join(''), written, isLast: written === tokens.length });
  }
  return pieces;
}

/** Without `alt=sse` a stream is one JSON array, sent element by element. */
function answerArray(chunks: readonly JsonObject[]): SandboxAnswer {
  const elements = chunks.map((chunk, index) => `${index === 0 ? '[' : ',\n'}${JSON.stringify(chunk)}`);
  return { status: 200, type: 'application/json; charset=UTF-8', pieces: [...elements, '\n]\n'] };
}

/** Google counts the cache inside the prompt, and thoughts beside the candidates. */
function usageOf({ prompt, cached, text, reasoning }: SandboxCounts): JsonObject {
  return {
    promptTokenCount: prompt,
    ...(cached === 0 ? {} : { cachedContentTokenCount: cached }),
    candidatesTokenCount: text,
    ...(reasoning === 0 ? {} : { thoughtsTokenCount: reasoning }),
    totalTokenCount: prompt + text + reasoning,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: prompt }],
  };
}

function count(body: JsonObject): SandboxAnswer {
  const messages = messagesOf(asObject(body['generateContentRequest']) ?? body);
  if (messages.length === 0) return refuseGemini('contents are required');
  const totalTokens = countPrompt(messages);
  return answerJson({ totalTokens, promptTokensDetails: [{ modality: 'TEXT', tokenCount: totalTokens }] });
}

function embed(body: JsonObject): SandboxAnswer {
  const one = embedded(body);
  return one === null
    ? refuseGemini('content is required')
    : answerJson({ embedding: { values: one.values }, usageMetadata: inputUsage(one.tokens) });
}

function embedBatch(body: JsonObject): SandboxAnswer {
  const all = asObjects(body['requests']).map(embedded);
  const known = all.filter((one) => one !== null);
  if (all.length === 0 || known.length < all.length) return refuseGemini('requests are required, each with content');
  return answerJson({
    embeddings: known.map(({ values }) => ({ values })),
    usageMetadata: inputUsage(known.reduce((sum, { tokens }) => sum + tokens, 0)),
  });
}

function embedded(request: JsonObject): { values: number[]; tokens: number } | null {
  const content = asObject(request['content']);
  if (content === null) return null;
  const text = textOf(content['parts']);
  return { values: embeddingVector(text, request['outputDimensionality']), tokens: countText(text) };
}

function inputUsage(tokens: number): JsonObject {
  return { promptTokenCount: tokens, promptTokenDetails: [{ modality: 'TEXT', tokenCount: tokens }] };
}
