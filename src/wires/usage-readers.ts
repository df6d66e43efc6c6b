import type { Meters, Usage } from '#terms';
import { mergeAnthropicEvents } from './anthropic/merged-usage.ts';
import { readAnthropicUsage } from './anthropic/usage.ts';
import { readBedrockConverseUsage, readBedrockInvokeUsage } from './bedrock/index.ts';
import { readCohereUsage } from './cohere/index.ts';
import { Grounding, groundingUnitOf, readGeminiUsage, type GroundingUnit } from './gemini/index.ts';
import { readOllamaUsage } from './ollama/index.ts';
import { usageContext } from './answer-context.ts';
import { withBreakdown } from './openai/breakdown.ts';
import {
  openAiChatUsage,
  openAiImagesUsage,
  openAiRealtimeUsage,
  openAiResponsesUsage,
  openAiSpeechUsage,
  openAiTranscriptionUsage,
  xaiChatUsage,
} from './openai/index.ts';
import { asObject, asObjects, asText } from './loose-json.ts';
import { mostComplete } from './openai/most-complete.ts';
import { readToolsUsed, svgUsage } from './openai/usage-responses.ts';
import type { Quirks, UsageContext, UsageObject, UsageReader } from './wire.ts';

/** How the usage of each wire is read; a stream of a wire reports what its whole answers do. */
const READERS: Readonly<Record<string, UsageReader>> = {
  'openai.chat': openAiChatUsage,
  'openai.completions': openAiChatUsage,
  'openai.embeddings': openAiChatUsage,
  'openai.responses': openAiResponsesUsage,
  'openai.images': openAiImagesUsage,
  'openai.transcription': openAiTranscriptionUsage,
  'openai.speech': openAiSpeechUsage,
  'openai.realtime': openAiRealtimeUsage,
  'azure.chat': openAiChatUsage,
  'xai.chat': xaiChatUsage,
  'xai.responses': openAiResponsesUsage,
  'openrouter.chat': openAiChatUsage,
  'anthropic.messages': readAnthropicUsage,
  'gemini.generateContent': readGeminiUsage,
  'gemini.embedContent': readGeminiUsage,
  'bedrock.messages': readAnthropicUsage,
  'vertex.messages': readAnthropicUsage,
  'vertex.generateContent': readGeminiUsage,
  'bedrock.converse': readBedrockConverseUsage,
  'bedrock.invoke': readBedrockInvokeUsage,
  'cohere.rerank': readCohereUsage,
  'cohere.chat': readCohereUsage,
  'cohere.embed': readCohereUsage,
  'ollama.chat': readOllamaUsage,
  'ollama.generate': readOllamaUsage,
  'ollama.embed': readOllamaUsage,
};

const STREAM = '.stream';

/** Anthropic's, at home or hosted by a cloud. */
const MESSAGES = /\.messages(?:\.stream)?$/;

/** By the name of a wire, and by that of its stream. */
export const USAGE_READERS: Readonly<Record<string, UsageReader>> = Object.fromEntries(
  Object.entries(READERS).flatMap(([wire, read]) => [
    [wire, read],
    [`${wire}${STREAM}`, read],
  ]),
);

/** Usage as somebody states it: the usage object, the whole answer, or the events of a stream. */
export type StatedUsage = {
  readonly wire: string;
  readonly quirks: Quirks;
  /** The model, where its family decides how the counts are read. */
  readonly model?: string;
  readonly usage?: unknown;
  readonly events?: readonly unknown[] | undefined;
  /** What stands outside: `response_service_tier`, `headers`, `input_characters`, `grounding`, `tool_usage`, `output`, … */
  readonly context?: unknown;
};

/** Reads usage outside a call: for a quote, a price correction, a test. Null for a wire it does not know, and where nothing is said. */
export function readUsage(stated: StatedUsage): Usage | null {
  const read = Object.hasOwn(USAGE_READERS, stated.wire) ? USAGE_READERS[stated.wire] : undefined;
  if (read === undefined) return null;
  const bodies = asObjects(stated.events ?? [stated.usage]).flatMap(bodiesOf);
  const around = asObject(stated.context) ?? {};
  const context = readContext(stated, { around, bodies });
  let usage: Usage | null = null;
  for (const one of statedUsages(stated, bodies)) usage = mostComplete(usage, read(one, context));
  if (usage === null) return null;
  for (const body of bodies) usage = withBreakdown(usage, body['usage_breakdown'] ?? body['x_groq']);
  return withOthers(usage, { stated, around, bodies });
}

/** An event, and the answer inside it where it holds one. */
function bodiesOf(event: UsageObject): UsageObject[] {
  return [...asObjects([event, event['response'], event['message'], event['metadata'], event['meta']])];
}

/** Every usage that is stated, the last of which need not be the most complete. */
function statedUsages({ wire, usage, events }: StatedUsage, bodies: readonly UsageObject[]): readonly unknown[] {
  if (events !== undefined && MESSAGES.test(wire)) return [mergeAnthropicEvents(events)];
  const nested = bodies.flatMap((body) => [body['usage'], body['usageMetadata'], asObject(body['x_groq'])?.['usage']]);
  // Their counts stand in the answer itself, or in its last line.
  const whole = wire.startsWith('ollama.') || wire.startsWith('cohere.') ? bodies : [];
  return [usage, ...nested, ...whole];
}

type Surroundings = { readonly around: UsageObject; readonly bodies: readonly UsageObject[] };

function readContext(stated: StatedUsage, surroundings: Surroundings): UsageContext {
  const { around, bodies } = surroundings;
  const said = (name: string): string => asText(bodies.findLast((body) => asText(body[name]) !== '')?.[name]);
  const request = requestMeters(stated.wire, around);
  const context = usageContext(
    {
      request: {
        model: stated.model ?? '',
        stream: stated.wire.endsWith(STREAM),
        wantsUsage: true,
        maxOutputTokens: null,
        choices: 1,
        maxInputTokens: null,
        ...(request === undefined ? {} : { meters: request }),
      },
      quirks: stated.quirks,
      headers: readHeaders(around['headers']),
    },
    {
      serviceTier: asText(around['response_service_tier']) || said('service_tier') || said('serviceTier'),
      ...answerMeters(stated, surroundings),
    },
  );
  const model = stated.model ?? asText(around['model']);
  const geo = asText(around['geo']) || asText(around['inference_geo']);
  return { ...context, ...(model === '' ? {} : { model }), ...(geo === '' ? {} : { geo }) };
}

/** What the request decided. */
function requestMeters(wire: string, around: UsageObject): Meters | undefined {
  const count = (name: string): number | undefined => {
    const value = around[name];
    return typeof value === 'number' && value >= 0 ? value : undefined;
  };
  if (wire.startsWith('openai.images')) return { image: count('images') ?? count('n') ?? 1 };
  const characters = count('input_characters');
  return characters === undefined ? undefined : { input_characters: characters };
}

/** What the answer shows outside its usage: tools it used, searches, seconds. */
function answerMeters(stated: StatedUsage, { around, bodies }: Surroundings): { answer?: Meters } {
  if (stated.wire.includes('.responses')) return { answer: toolsOf({ around, bodies }).meters };
  if (stated.wire.startsWith('gemini.')) return groundingOf(stated, { around, bodies });
  const seconds = around['duration'] ?? bodies.findLast((body) => body['duration'] !== undefined)?.['duration'];
  return typeof seconds === 'number' && seconds >= 0 ? { answer: { audio_seconds: seconds } } : {};
}

function toolsOf({ around, bodies }: Surroundings): ReturnType<typeof readToolsUsed> {
  const find = (name: string): unknown =>
    around[name] ?? bodies.findLast((body) => body[name] !== undefined && body[name] !== null)?.[name];
  return readToolsUsed({ toolUsage: find('tool_usage'), output: find('output'), tools: find('tools') });
}

function groundingOf(stated: StatedUsage, { around, bodies }: Surroundings): { answer?: Meters } {
  const grounding = new Grounding();
  grounding.add(around['grounding'] ?? around['groundingMetadata']);
  for (const body of bodies)
    for (const candidate of asObjects(body['candidates'])) grounding.add(candidate['groundingMetadata']);
  const meters = grounding.meters(unitOf(around['grounding_unit']) ?? groundingUnitOf(stated.model ?? ''));
  return Object.keys(meters).length === 0 ? {} : { answer: meters };
}

function unitOf(value: unknown): GroundingUnit | undefined {
  return value === 'prompt' || value === 'query' ? value : undefined;
}

function readHeaders(value: unknown): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [name, text] of Object.entries(asObject(value) ?? {}))
    if (typeof text === 'string') headers[name.toLowerCase()] = text;
  return headers;
}

/** What other models used inside the same answer. */
function withOthers(usage: Usage, { stated, around, bodies }: Surroundings & { stated: StatedUsage }): Usage {
  const tools = stated.wire.includes('.responses') ? toolsOf({ around, bodies }) : null;
  const svg = [around, ...bodies].flatMap((body) => svgUsage(body['svg_usage'])).slice(0, 1);
  const others = [...(usage.others ?? []), ...(tools?.others ?? []), ...svg];
  return {
    ...usage,
    ...(others.length === 0 ? {} : { others }),
    ...(tools?.sound === false ? { inconsistent: true } : {}),
  };
}
