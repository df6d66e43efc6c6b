import { NO_FACTS, type AnswerContext, type AnswerFacts, type StreamMeter, type Wire } from '../wire.ts';
import { usageContext } from '../answer-context.ts';
import { isError, membersOf, textOf } from './answer.ts';
import { usageWithout } from '../reading.ts';
import { readModerationRequest, requestText } from './request.ts';
import { ChatStreamMeter } from './stream.ts';
import { writeUnasked } from './write-request.ts';

/** Moderations, which have no tokens: a request is a request, and a price row says what it costs. */
export const openAiModerations: Wire = {
  name: 'openai.moderations',
  dialect: 'openai',
  names: { id: 'id', model: 'model', usage: 'usage' },
  readRequest: readModerationRequest,
  writeRequest: writeUnasked,
  requestText,
  readAnswer,
  meterStream: (context): StreamMeter => new ChatStreamMeter(context),
};

function readAnswer(bytes: Buffer, context: AnswerContext): AnswerFacts {
  const members = membersOf(bytes);
  if (members === null) return NO_FACTS;
  const failed = isError(bytes, members.get('error'));
  const usage = failed ? null : usageWithout(context.request.meters ?? {}, usageContext(context, { serviceTier: '' }));
  return {
    ...NO_FACTS,
    id: textOf(bytes, members.get('id')),
    model: textOf(bytes, members.get('model')),
    usage,
    usageComplete: usage !== null,
    failed,
  };
}
