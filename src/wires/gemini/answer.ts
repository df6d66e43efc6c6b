import { scanJsonObject, type JsonMember } from '#std';
import type { Usage } from '#terms';
import { usageContext } from '../answer-context.ts';
import { asObject, asObjects, asText, memberValue } from '../loose-json.ts';
import { NO_FACTS, type AnswerContext, type AnswerFacts } from '../wire.ts';
import { Grounding, groundingUnitOf } from './grounding.ts';
import { readGeminiUsage, readTier } from './usage.ts';

/** One JSON object of an answer: the whole of it, or one chunk of a stream. */
export type AnswerObject = { readonly bytes: Buffer; readonly members: readonly JsonMember[] };

/** Null for what is no JSON object (an HTML error page, a cut body). */
export function scanAnswerObject(bytes: Buffer): AnswerObject | null {
  const scan = scanJsonObject(bytes);
  return scan.ok ? { bytes, members: scan.members } : null;
}

const NOT_GROUNDED = new Grounding();

/** Reads a whole answer's facts. */
export function readGeminiAnswer(bytes: Buffer, context: AnswerContext): AnswerFacts {
  const answer = scanAnswerObject(bytes);
  if (answer === null) return { ...NO_FACTS, outputCharsBeyond: bytes.length };
  const candidates = memberOf(answer, 'candidates');
  const model = textOf(answer, 'modelVersion');
  // The candidates of most answers are forwarded and never parsed.
  const grounding = bytes.includes('"groundingMetadata"') ? groundingOf(memberValue(bytes, candidates)) : NOT_GROUNDED;
  const usage = readObjectUsage(answer, { context, model, grounding });
  return {
    id: textOf(answer, 'responseId'),
    model,
    usage,
    usageComplete: usage !== null,
    outputText: usage === null ? joinTexts(outputTexts(memberValue(bytes, candidates))) : '',
    outputCharsBeyond: 0,
    failed: candidates === undefined && memberOf(answer, 'error') !== undefined,
  };
}

type Around = { readonly context: AnswerContext; readonly model: string; readonly grounding: Grounding };

/** The usage an object carries, with what the answer bills beside it and the tier its headers name. */
export function readObjectUsage(object: AnswerObject, { context, model, grounding }: Around): Usage | null {
  const member = memberOf(object, 'usageMetadata');
  if (member === undefined) return null;
  const serviceTier = readTier(context.headers['x-gemini-service-tier']) ?? '';
  const answer = grounding.meters(groundingUnitOf(model === '' ? context.request.model : model));
  return readGeminiUsage(
    object.bytes.toString('utf8', member.valueStart, member.end),
    usageContext(context, { serviceTier, answer }),
  );
}

export function textOf(object: AnswerObject, name: string): string {
  return asText(memberValue(object.bytes, memberOf(object, name)));
}

/** An answer has five members or so: walking them costs less than a map of them. */
function memberOf({ members }: AnswerObject, name: string): JsonMember | undefined {
  return members.find(({ key }) => key === name);
}

function groundingOf(candidates: unknown): Grounding {
  const grounding = new Grounding();
  for (const candidate of asObjects(candidates)) grounding.add(candidate['groundingMetadata']);
  return grounding;
}

export type ModelText = { readonly text: string; readonly thought: boolean };

/** Every text a model wrote: answers, thoughts, code, the arguments of calls. Not what it drew or what a tool gave it. */
export function outputTexts(candidates: unknown): ModelText[] {
  const texts: ModelText[] = [];
  for (const candidate of asObjects(candidates)) {
    for (const part of asObjects(asObject(candidate['content'])?.['parts'])) {
      const call = asObject(part['functionCall']);
      const written = call === null ? asText(part['text']) : JSON.stringify([call['name'], call['args']]);
      const code = asText(asObject(part['executableCode'])?.['code']);
      texts.push({ text: written + code, thought: part['thought'] === true });
    }
  }
  return texts;
}

export function joinTexts(texts: readonly ModelText[]): string {
  return texts.map(({ text }) => text).join('');
}
