import type { JsonMember } from '#std';
import type { Usage } from '#terms';
import { NO_FACTS, type AnswerContext, type AnswerFacts, type Wire } from '../wire.ts';
import { usageContext } from '../answer-context.ts';
import { isError, membersOf, outputTexts, textOf } from './answer.ts';
import { memberText, memberValue } from '../loose-json.ts';
import { readResponsesRequest, requestText } from './request.ts';
import { TypedStreamMeter } from './typed-stream.ts';
import { openAiResponsesUsage, readToolsUsed } from './usage-responses.ts';
import { usageWithout } from '../reading.ts';
import { writeUnasked } from './write-request.ts';

/** OpenAI Responses. A stream ends with the whole answer inside its last event, and no `[DONE]`. */
export const openAiResponses: Wire = {
  name: 'openai.responses',
  dialect: 'openai',
  names: { id: 'id', model: 'model', usage: 'usage', beside: ['service_tier', 'tool_usage'] },
  readRequest: readResponsesRequest,
  writeRequest: writeUnasked,
  outputLimitNames: () => ['max_output_tokens'],
  requestText,
  readAnswer: readResponse,
  meterStream: (context) =>
    new TypedStreamMeter(
      {
        ends: ['response.completed', 'response.incomplete', 'response.failed'],
        readEnd: readLastEvent,
        readUnsaid: () => null,
      },
      context,
    ),
};

function readLastEvent(payload: Buffer, context: AnswerContext): AnswerFacts {
  const member = membersOf(payload)?.get('response');
  return member === undefined ? NO_FACTS : readResponse(payload.subarray(member.valueStart, member.end), context);
}

function readResponse(bytes: Buffer, context: AnswerContext): AnswerFacts {
  const members = membersOf(bytes);
  if (members === null) return { ...NO_FACTS, outputCharsBeyond: bytes.length };
  const failed = isError(bytes, members.get('error')) || textOf(bytes, members.get('status')) === 'failed';
  const usage = readUsage(bytes, { members, context });
  return {
    id: textOf(bytes, members.get('id')),
    model: textOf(bytes, members.get('model')),
    usage,
    usageComplete: usage !== null,
    outputText: usage === null ? outputTexts(memberValue(bytes, members.get('output'))).join('') : '',
    outputCharsBeyond: 0,
    failed,
    ...(usage === null && UNFINISHED.has(textOf(bytes, members.get('status'))) ? { unfinished: true } : {}),
  };
}

/** A response in the background is answered at once with one of these; its usage comes when it is read again. */
const UNFINISHED: ReadonlySet<string> = new Set(['queued', 'in_progress']);

/** The items of tools that are billed by the call. */
const BILLED_ITEMS = ['search_call"', '"code_interpreter_call"', '"image_generation_call"'];

type Answer = { readonly members: ReadonlyMap<string, JsonMember>; readonly context: AnswerContext };

function readUsage(bytes: Buffer, { members, context }: Answer): Usage | null {
  const output = members.get('output');
  const shown =
    output !== undefined &&
    BILLED_ITEMS.some((mark) => {
      const at = bytes.indexOf(mark, output.valueStart);
      return at !== -1 && at < output.end;
    });
  const tools = readToolsUsed({
    toolUsage: memberValue(bytes, members.get('tool_usage')),
    output: shown ? memberValue(bytes, output) : undefined,
    tools: memberValue(bytes, members.get('tools')),
  });
  const around = usageContext(context, {
    serviceTier: textOf(bytes, members.get('service_tier')),
    answer: tools.meters,
  });
  const member = members.get('usage');
  const usage = member === undefined ? null : openAiResponsesUsage(memberText(bytes, member), around);
  if (usage === null) return around.reportedCost === undefined ? null : usageWithout(tools.meters, around);
  if (tools.others.length === 0 && tools.sound) return usage;
  return {
    ...usage,
    ...(tools.others.length === 0 ? {} : { others: tools.others }),
    ...(tools.sound ? {} : { inconsistent: true }),
  };
}
