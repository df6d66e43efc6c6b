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
import { memberText, memberValue } from '../loose-json.ts';
import { readModel, requestText } from './request.ts';
import { FLAG, readField } from '../request-fields.ts';
import { TypedStreamMeter } from './typed-stream.ts';
import { openAiTranscriptionUsage } from './usage-audio.ts';
import { writeUnasked } from './write-request.ts';

/** Speech to text, and speech translated: a form in; JSON, plain text or subtitles out. */
export const openAiTranscription: Wire = {
  name: 'openai.transcription',
  dialect: 'openai',
  names: { id: 'id', model: 'model', usage: 'usage' },
  readRequest,
  writeRequest: writeUnasked,
  requestText,
  readAnswer,
  meterStream: (context) =>
    new TypedStreamMeter(
      { ends: ['transcript.text.done', 'transcription.done'], readEnd: readAnswer, readUnsaid: () => null },
      context,
    ),
};

function readRequest(body: RequestBody): WireRequest {
  return {
    model: readModel(body),
    stream: readField(body, 'stream', FLAG) ?? false,
    wantsUsage: true,
    maxOutputTokens: null,
    choices: 1,
    // How long a recording is does not follow from its bytes.
    maxInputTokens: null,
  };
}

function readAnswer(bytes: Buffer, context: AnswerContext): AnswerFacts {
  const members = membersOf(bytes);
  // Plain text and subtitles say nothing of what they cost.
  if (members === null) return { ...NO_FACTS, outputText: bytes.toString('utf8') };
  const seconds = memberValue(bytes, members.get('duration'));
  const around = usageContext(context, {
    serviceTier: textOf(bytes, members.get('service_tier')),
    ...(typeof seconds === 'number' && seconds >= 0 ? { answer: { audio_seconds: seconds } } : {}),
  });
  const member = members.get('usage');
  const failed = isError(bytes, members.get('error'));
  const usage = openAiTranscriptionUsage(member === undefined ? undefined : memberText(bytes, member), around);
  return {
    ...NO_FACTS,
    id: textOf(bytes, members.get('id')),
    model: textOf(bytes, members.get('model')),
    usage,
    usageComplete: usage !== null,
    outputText: usage === null && !failed ? textOf(bytes, members.get('text')) : '',
    failed,
  };
}
