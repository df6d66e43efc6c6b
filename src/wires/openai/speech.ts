import type { Usage } from '#terms';
import {
  NO_FACTS,
  type AnswerContext,
  type AnswerFacts,
  type RequestBody,
  type Wire,
  type WireRequest,
} from '../wire.ts';
import { usageContext } from '../answer-context.ts';
import { isError, membersOf, textOf } from './answer.ts';
import { memberText } from '../loose-json.ts';
import { readModel, requestText } from './request.ts';
import { OPTIONAL_TEXT, readField, TEXT } from '../request-fields.ts';
import { TypedStreamMeter } from './typed-stream.ts';
import { openAiSpeechUsage } from './usage-audio.ts';
import { writeUnasked } from './write-request.ts';

const OPEN_OBJECT = 0x7b;

/** Text to speech: JSON in; audio out, or audio in events. Only events carry usage; bare audio is known by its request. */
export const openAiSpeech: Wire = {
  name: 'openai.speech',
  dialect: 'openai',
  names: { id: 'id', model: 'model', usage: 'usage' },
  readRequest,
  writeRequest: writeUnasked,
  requestText,
  readAnswer,
  meterStream: (context) =>
    new TypedStreamMeter(
      { ends: ['speech.audio.done'], readEnd: readAnswer, readUnsaid: (known) => spoken(undefined, known) },
      context,
    ),
};

function readRequest(body: RequestBody): WireRequest {
  const text = readField(body, 'input', TEXT) ?? '';
  return {
    model: readModel(body),
    stream: readField(body, 'stream_format', OPTIONAL_TEXT) === 'sse',
    wantsUsage: true,
    maxOutputTokens: null,
    choices: 1,
    maxInputTokens: null,
    meters: { input_characters: characters(text) },
  };
}

/** Characters as people count them in code: one for each code point, not for each half of a pair. */
function characters(text: string): number {
  return Array.from(text).length;
}

function readAnswer(bytes: Buffer, context: AnswerContext): AnswerFacts {
  const members = bytes[0] === OPEN_OBJECT ? membersOf(bytes) : null;
  if (members === null) return { ...NO_FACTS, usage: spoken(undefined, context), usageComplete: true };
  const member = members.get('usage');
  const failed = isError(bytes, members.get('error'));
  const usage = failed ? null : spoken(member === undefined ? undefined : memberText(bytes, member), context);
  return { ...NO_FACTS, id: textOf(bytes, members.get('id')), usage, usageComplete: usage !== null, failed };
}

function spoken(usage: string | undefined, context: AnswerContext): Usage | null {
  return openAiSpeechUsage(usage, usageContext(context, { serviceTier: '' }));
}
