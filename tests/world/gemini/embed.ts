import type { Seeded } from '../behaviour.ts';
import { isRefusal, wholeJson, type Answer, type Operation, type Received } from '../dialect.ts';
import { contentText, countOf, isObject, objectsOf, type Fields } from '../json-fields.ts';
import { seededRandom } from '../random.ts';
import { planPrompt } from '../token-plan.ts';
import { randomUUID } from 'node:crypto';
import { chooseModel, lastUserText, readFields, readNames, refusal, type Chosen } from './refusals.ts';

const EMBED_FIELDS = new Set(['model', 'content', 'taskType', 'title', 'outputDimensionality']);
const BATCH_FIELDS = new Set(['requests']);
const COUNT_FIELDS = new Set(['contents', 'generateContentRequest']);
const DIMENSIONS = 3072;
const JSON_TYPE = 'application/json; charset=UTF-8';

export const embedContent: Operation = (received, stock) => {
  const known = readFields(received, EMBED_FIELDS);
  if (isRefusal(known)) return known;
  const chosen = chooseModel(received, { stock, serves: 'embedContent' });
  if (isRefusal(chosen)) return chosen;
  return prepared([known.fields], { received, chosen, shape: ([one]) => ({ embedding: one }) });
};

/** What Google's own client sends for one text, too. */
export const batchEmbedContents: Operation = (received, stock) => {
  const known = readFields(received, BATCH_FIELDS);
  if (isRefusal(known)) return known;
  const chosen = chooseModel(received, { stock, serves: 'embedContent' });
  if (isRefusal(chosen)) return chosen;
  const requests: Fields[] = [];
  for (const given of objectsOf(known.fields['requests'])) {
    const request = readNames(given, { known: EMBED_FIELDS, at: 'requests[0]' });
    if (isRefusal(request)) return request;
    requests.push(request.fields);
  }
  if (requests.length === 0) return refusal(400, '* BatchEmbedContentsRequest.requests: at least one is required');
  return prepared(requests, { received, chosen, shape: (all) => ({ embeddings: all }) });
};

type Embedded = {
  readonly received: Received;
  readonly chosen: Chosen;
  readonly shape: (embeddings: readonly object[]) => object;
};

function prepared(requests: readonly Fields[], { received, chosen, shape }: Embedded) {
  const content = requests.at(-1)?.['content'];
  const text = contentText(isObject(content) ? content['parts'] : undefined);
  const answer = (behaviour: Seeded): Answer => {
    const prompt = planPrompt(received.body.length, behaviour, seededRandom(behaviour.seed));
    const random = seededRandom(behaviour.seed + 2);
    const embeddings = requests.map(({ outputDimensionality }) => ({
      values: Array.from({ length: countOf(outputDimensionality, DIMENSIONS) }, () => random.next() * 2 - 1),
    }));
    const usageMetadata = {
      promptTokenCount: prompt,
      totalTokenCount: prompt,
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: prompt }],
    };
    return {
      // Neither the answer nor its headers name it.
      charge: { id: randomUUID(), ...chosen, meters: { input: prompt }, words: [] },
      headers: { vary: 'Origin' },
      body: wholeJson({ ...shape(embeddings), ...(behaviour.usage === 'none' ? {} : { usageMetadata }) }, JSON_TYPE),
    };
  };
  return { text, answer };
}

/** Free, and on no bill. */
export const countTokens: Operation = (received, stock) => {
  const known = readFields(received, COUNT_FIELDS);
  if (isRefusal(known)) return known;
  const chosen = chooseModel(received, { stock, serves: 'generateContent' });
  if (isRefusal(chosen)) return chosen;
  return {
    text: lastUserText(known.fields['contents']),
    answer: (behaviour) => {
      const totalTokens = planPrompt(received.body.length, behaviour, seededRandom(behaviour.seed));
      const promptTokensDetails = [{ modality: 'TEXT', tokenCount: totalTokens }];
      return { charge: null, headers: {}, body: wholeJson({ totalTokens, promptTokensDetails }, JSON_TYPE) };
    },
  };
};
