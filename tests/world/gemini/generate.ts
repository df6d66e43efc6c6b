import { randomBytes } from 'node:crypto';
import type { Seeded } from '../behaviour.ts';
import {
  eventStream,
  isRefusal,
  wholeJson,
  type Answer,
  type Operation,
  type Received,
  type StreamedBody,
  type StreamEvent,
} from '../dialect.ts';
import { countOf, isObject, objectsOf } from '../json-fields.ts';
import { seededRandom } from '../random.ts';
import { planSaid, type Offer } from '../conversation.ts';
import { planTokens } from '../token-plan.ts';
import { checkConversation, signs } from './check-conversation.ts';
import { chunksOf, wholeOf, type GenerateTold, type GenerateTokens } from './generate-chunks.ts';
import { chooseModel, lastUserText, readFields, readNames, refusal, type Chosen } from './refusals.ts';

const FIELDS = new Set([
  'model',
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'safetySettings',
  'generationConfig',
  'cachedContent',
  'labels',
  'serviceTier',
  'store',
]);

const CONFIG_FIELDS = new Set([
  'audioTranscriptionConfig',
  'candidateCount',
  'enableEnhancedCivicAnswers',
  'frequencyPenalty',
  'imageConfig',
  'logprobs',
  'maxOutputTokens',
  'mediaResolution',
  'presencePenalty',
  'responseJsonSchema',
  'responseLogprobs',
  'responseMimeType',
  'responseModalities',
  'responseSchema',
  'seed',
  'speechConfig',
  'stopSequences',
  'temperature',
  'thinkingConfig',
  'topK',
  'topP',
]);

type GenerateRequest = Chosen & {
  readonly text: string;
  readonly delivery: 'whole' | 'events' | 'array';
  readonly bodyBytes: number;
  readonly maxOutputTokens: number | null;
  readonly choices: number;
  readonly thinks: boolean;
  readonly offersSearch: boolean;
  readonly tier: string;
  readonly offer: Offer;
  readonly showsThoughts: boolean;
  readonly logprobs: boolean;
};

export const generateContent: Operation = (received, stock) => prepare(received, { stock, delivery: 'whole' });

/** A JSON array in pieces, unless `alt=sse` asks for events. */
export const streamGenerateContent: Operation = (received, stock) =>
  prepare(received, { stock, delivery: received.query.get('alt') === 'sse' ? 'events' : 'array' });

type Given = { readonly stock: Parameters<Operation>[1]; readonly delivery: GenerateRequest['delivery'] };

function prepare(received: Received, { stock, delivery }: Given): ReturnType<Operation> {
  const known = readFields(received, FIELDS);
  if (isRefusal(known)) return known;
  const { fields } = known;
  const given = fields['generationConfig'] ?? {};
  if (!isObject(given)) return refusal(400, "Invalid value at 'generation_config'");
  const config = readNames(given, { known: CONFIG_FIELDS, at: 'generation_config' });
  if (isRefusal(config)) return config;
  const chosen = chooseModel(received, { stock, serves: 'generateContent' });
  if (isRefusal(chosen)) return chosen;
  const contents = objectsOf(fields['contents']);
  if (contents.length === 0) return refusal(400, '* GenerateContentRequest.contents: contents is not specified');
  const offer = checkConversation(fields, { config: config.fields, model: chosen.model });
  if (isRefusal(offer)) return offer;
  const { maxOutputTokens, candidateCount, thinkingConfig, responseLogprobs } = config.fields;
  const budget = isObject(thinkingConfig) ? thinkingConfig['thinkingBudget'] : undefined;
  const tier = fields['serviceTier'];
  const request: GenerateRequest = {
    ...chosen,
    text: lastUserText(contents),
    delivery,
    bodyBytes: received.body.length,
    maxOutputTokens: typeof maxOutputTokens === 'number' ? maxOutputTokens : null,
    choices: countOf(candidateCount, 1),
    thinks: chosen.served.reasons && budget !== 0,
    offersSearch: objectsOf(fields['tools']).some((tool) => 'googleSearch' in tool || 'google_search' in tool),
    offer,
    showsThoughts: isObject(thinkingConfig) && thinkingConfig['includeThoughts'] === true,
    logprobs: responseLogprobs === true,
    tier: typeof tier === 'string' && chosen.served.factors?.[tier] !== undefined ? tier : 'standard',
  };
  return { text: request.text, answer: (behaviour) => answerGenerate(request, behaviour) };
}

function answerGenerate(request: GenerateRequest, behaviour: Seeded): Answer {
  const used = planGenerate(request, behaviour);
  const told: GenerateTold = {
    id: randomBytes(12).toString('base64url'),
    model: request.served.snapshot,
    tier: request.tier,
    choices: request.choices,
    said: planSaid(behaviour, request.offer),
    showsThoughts: request.showsThoughts && used.thoughts > 0,
    signs: signs(request.model),
    logprobs: request.logprobs,
    used,
    manner: behaviour.usage,
  };
  const byQuery = request.served.fees?.['web_search'] !== undefined;
  const fees = byQuery ? { web_search: used.queries } : { grounded_prompt: 1 };
  return {
    charge: {
      id: told.id,
      model: request.model,
      served: request.served,
      meters: {
        input: used.prompt - used.cached - used.audio + used.toolPrompt,
        cached: used.cached,
        ...(used.audio > 0 ? { audio: used.audio } : {}),
        output: used.candidates + used.thoughts,
        ...(used.queries > 0 ? fees : {}),
      },
      words: [request.tier],
    },
    headers: { 'server-timing': 'gfet4t7; dur=512', vary: 'Origin' },
    body: BODIES[request.delivery](told),
  };
}

const MOST_QUERIES = 3;

function planGenerate(request: GenerateRequest, behaviour: Seeded): GenerateTokens {
  const { bodyBytes, maxOutputTokens, thinks, offersSearch, served } = request;
  const plan = planTokens({ bodyBytes, maxOutputTokens, reasons: thinks, caches: true }, behaviour);
  const random = seededRandom(behaviour.seed + 5);
  const audio = served.tokens?.['audio'] === undefined ? 0 : (behaviour.audio_tokens ?? 0);
  return {
    prompt: plan.prompt,
    cached: Math.min(plan.cached, plan.prompt - audio),
    audio,
    toolPrompt: behaviour.tool_prompt_tokens ?? 0,
    candidates: plan.completion - plan.reasoning,
    thoughts: plan.reasoning,
    queries: offersSearch ? (behaviour.searches ?? random.between(0, MOST_QUERIES)) : 0,
  };
}

const JSON_TYPE = 'application/json; charset=UTF-8';
const FAILURE = {
  error: { code: 503, message: 'The model is overloaded. Please try again later.', status: 'UNAVAILABLE' },
};

const BODIES: Readonly<Record<GenerateRequest['delivery'], (told: GenerateTold) => Answer['body']>> = {
  whole: (told) => wholeJson(wholeOf(told), JSON_TYPE),
  events: (told) => streamed([...chunksOf(told)].map(({ chunk, says }) => ({ text: `data: ${chunk}`, says }))),
  array: (told) => {
    const pieces: StreamEvent[] = Array.from(chunksOf(told), ({ chunk, says }, index) => ({
      text: `${index === 0 ? '[' : ',\r\n'}${chunk}`,
      says,
    }));
    return {
      kind: 'stream',
      contentType: JSON_TYPE,
      events: [...pieces, { text: '\n]\n', says: false }],
      end: '',
      errorEvent: `,\r\n${JSON.stringify(FAILURE)}\n]\n`,
      errorAlone: `[${JSON.stringify(FAILURE)}\n]\n`,
    };
  },
};

function streamed(events: readonly StreamEvent[]): StreamedBody {
  const error = `data: ${JSON.stringify(FAILURE)}`;
  return eventStream(events, error, { contentType: 'text/event-stream', end: '\r\n\r\n' });
}
