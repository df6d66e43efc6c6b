import type { Seeded } from '../behaviour.ts';
import { isRefusal, wholeJson, type Answer, type Operation } from '../dialect.ts';
import { countOf } from '../json-fields.ts';
import { seededRandom } from '../random.ts';
import { planPrompt } from '../token-plan.ts';
import { makeId, openAiHeaders } from './answer-parts.ts';
import { chooseModel, readFields, readTexts, refusal, type Chosen } from './refusals.ts';
import { REQUEST_FIELDS } from './request-fields.ts';

const EMBEDDING_DIMENSIONS = 1536;

type EmbeddingRequest = Chosen & {
  readonly bodyBytes: number;
  readonly vectors: number;
  readonly dimensions: number;
  readonly format: 'float' | 'base64';
};

export const embeddings: Operation = (received, stock) => {
  const known = readFields(received, REQUEST_FIELDS.embeddings);
  if (isRefusal(known)) return known;
  const { fields } = known;
  const chosen = chooseModel(fields['model'], { stock, serves: 'embeddings' });
  if (isRefusal(chosen)) return chosen;
  const inputs = readTexts(fields['input'], 'input');
  if (isRefusal(inputs)) return inputs;
  const format = fields['encoding_format'] ?? 'float';
  if (format !== 'float' && format !== 'base64') {
    return refusal(400, "Invalid 'encoding_format': expected 'float' or 'base64'.", { param: 'encoding_format' });
  }
  const request: EmbeddingRequest = {
    ...chosen,
    bodyBytes: received.body.length,
    vectors: inputs.texts.length,
    dimensions: countOf(fields['dimensions'], EMBEDDING_DIMENSIONS),
    format,
  };
  return { text: inputs.texts.at(-1) ?? '', answer: (behaviour) => answerEmbeddings(request, behaviour) };
};

/** Without an `id`, as OpenAI's: the bill names it by its request id. */
function answerEmbeddings(request: EmbeddingRequest, behaviour: Seeded): Answer {
  const prompt = planPrompt(request.bodyBytes, behaviour, seededRandom(behaviour.seed));
  const random = seededRandom(behaviour.seed + 2);
  const vector = (): readonly number[] | string => {
    const numbers = Float32Array.from({ length: request.dimensions }, () => random.next() * 2 - 1);
    return request.format === 'base64' ? Buffer.from(numbers.buffer).toString('base64') : Array.from(numbers);
  };
  const id = makeId('req_');
  return {
    charge: { id, model: request.model, served: request.served, meters: { input: prompt }, words: [] },
    headers: openAiHeaders(id),
    body: wholeJson({
      object: 'list',
      data: Array.from({ length: request.vectors }, (_, index) => ({
        object: 'embedding',
        index,
        embedding: vector(),
      })),
      model: request.served.snapshot,
      ...(behaviour.usage === 'none' ? {} : { usage: { prompt_tokens: prompt, total_tokens: prompt } }),
    }),
  };
}
