import { scanJsonObject, type JsonMember } from '#std';
import type { Usage } from '#terms';
import { NO_FACTS, type AnswerContext, type AnswerFacts } from '../wire.ts';
import { Grounding, groundingUnitOf } from './grounding.ts';
import { readGeminiUsage, readTier } from './usage.ts';

/** One JSON object of an answer: the whole of it, or one chunk of a stream. */
export type AnswerObject = { readonly bytes: Buffer; readonly members: ReadonlyMap<string, JsonMember> };

/** Null for what is no JSON object (an HTML error page, a cut body). */
export function scanAnswerObject(bytes: Buffer): AnswerObject | null {
  const scan = scanJsonObject(bytes);
  return scan.ok ? { bytes, members: new Map(scan.members.map((member) => [member.key, member])) } : null;
}

/** Reads a whole answer's facts. */
export function readGeminiAnswer(bytes: Buffer, context: AnswerContext): AnswerFacts {
  const answer = scanAnswerObject(bytes);
  if (answer === null) return { ...NO_FACTS, outputCharsBeyond: bytes.length };
  const candidates = memberValue(answer, 'candidates');
  const model = memberText(answer, 'modelVersion');
  const usage = readObjectUsage(answer, { context, model, grounding: groundingOf(candidates) });
  return {
    id: memberText(answer, 'responseId'),
    model,
    usage,
    usageComplete: usage !== null,
    outputText: usage === null ? outputTexts(candidates).join('') : '',
    outputCharsBeyond: 0,
    failed: answer.members.has('error') && candidates === undefined,
  };
}

/** An answer that costs nothing, whatever it says. */
export function readFreeAnswer(bytes: Buffer, context: AnswerContext): AnswerFacts {
  const facts = readGeminiAnswer(bytes, context);
  const usage: Usage = { meters: {}, origin: 'reported', raw: '' };
  return { ...facts, usage, usageComplete: true, outputText: '', outputCharsBeyond: 0 };
}

type Around = { readonly context: AnswerContext; readonly model: string; readonly grounding: Grounding };

/** The usage an object carries, with what the answer bills beside it and the tier its headers name. */
export function readObjectUsage(answer: AnswerObject, { context, model, grounding }: Around): Usage | null {
  const member = answer.members.get('usageMetadata');
  if (member === undefined) return null;
  const tier = readTier(context.headers['x-gemini-service-tier']);
  const stated =
    context.quirks.reportedCostHeader === null ? undefined : context.headers[context.quirks.reportedCostHeader];
  return readGeminiUsage(answer.bytes.toString('utf8', member.valueStart, member.end), {
    quirks: context.quirks,
    ...(tier === undefined ? {} : { serviceTier: tier }),
    ...(typeof stated === 'string' ? { reportedCost: stated } : {}),
    ...(context.request.meters === undefined ? {} : { request: context.request.meters }),
    answer: grounding.meters(groundingUnitOf(model === '' ? context.request.model : model)),
  });
}

export function memberText({ bytes, members }: AnswerObject, name: string): string {
  const member = members.get(name);
  const value = member === undefined ? undefined : parseQuietly(bytes.toString('utf8', member.valueStart, member.end));
  return typeof value === 'string' ? value : '';
}

function memberValue({ bytes, members }: AnswerObject, name: string): unknown {
  const member = members.get(name);
  return member === undefined ? undefined : parseQuietly(bytes.toString('utf8', member.valueStart, member.end));
}

function groundingOf(candidates: unknown): Grounding {
  const grounding = new Grounding();
  for (const candidate of recordsIn(candidates)) grounding.add(candidate['groundingMetadata']);
  return grounding;
}

/** Every text a model wrote: answers, thoughts, code, the arguments of calls. Not what it drew or what a tool gave it. */
export function outputTexts(candidates: unknown): string[] {
  const texts: string[] = [];
  for (const candidate of recordsIn(candidates)) {
    const content = candidate['content'];
    for (const part of recordsIn(isRecord(content) ? content['parts'] : undefined)) {
      if (typeof part['text'] === 'string') texts.push(part['text']);
      const { functionCall: call, executableCode: code } = part;
      if (isRecord(call)) texts.push(JSON.stringify([call['name'], call['args']]));
      if (isRecord(code) && typeof code['code'] === 'string') texts.push(code['code']);
    }
  }
  return texts;
}

export function recordsIn(list: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(list) ? list.filter(isRecord) : [];
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A provider may send anything; what cannot be read is unknown, and unknown usage is estimated, not dropped. */
export function parseQuietly(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
