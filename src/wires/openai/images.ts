import type { JsonMember } from '#std';
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
import { memberText, memberValue } from '../loose-json.ts';
import { usageWithout } from '../reading.ts';
import { requestText } from './request.ts';
import { COUNT, FLAG, OPTIONAL_TEXT, readField } from '../request-fields.ts';
import { TypedStreamMeter } from './typed-stream.ts';
import { openAiImagesUsage } from './usage-images.ts';
import { svgUsage } from './usage-responses.ts';
import { writeUnasked } from './write-request.ts';

/** Images drawn, edited (a form) and varied (a form). */
export const openAiImages: Wire = {
  name: 'openai.images',
  dialect: 'openai',
  names: { id: 'id', model: 'model', usage: 'usage' },
  readRequest,
  writeRequest: writeUnasked,
  requestText,
  readAnswer,
  meterStream: (context) =>
    new TypedStreamMeter(
      {
        ends: ['image_generation.completed', 'image_edit.completed'],
        readEnd: readAnswer,
        readUnsaid: (known) => unsaid(known.request, known),
      },
      context,
    ),
};

/** OpenAI API reference: what is drawn when the request does not say. */
const DEFAULT_MODEL = 'dall-e-2';
const DEFAULT_SIZE = '1024x1024';
const DEFAULT_QUALITY = 'standard';

/** Billed by the image, at a price for each quality and size; every later model of OpenAI's reports tokens. */
const BY_QUALITY_AND_SIZE = /(?:^|\/)dall-e-[23]$/;

function readRequest(body: RequestBody): WireRequest {
  const model = (readField(body, 'model', OPTIONAL_TEXT) ?? '') || DEFAULT_MODEL;
  const images = readField(body, 'n', COUNT) ?? 1;
  const asked: WireRequest = {
    model,
    stream: readField(body, 'stream', FLAG) ?? false,
    wantsUsage: true,
    maxOutputTokens: null,
    choices: images,
    maxInputTokens: null,
  };
  const drawn = { image: images };
  if (!BY_QUALITY_AND_SIZE.test(model)) return { ...asked, meters: drawn };
  const size = given(readField(body, 'size', OPTIONAL_TEXT)) ?? DEFAULT_SIZE;
  const quality = given(readField(body, 'quality', OPTIONAL_TEXT)) ?? DEFAULT_QUALITY;
  return {
    ...asked,
    others: [{ model: `${model.slice(model.lastIndexOf('/') + 1)}/${quality}/${size}`, meters: drawn }],
  };
}

/** `auto` is what is drawn without asking. */
function given(text: string | null | undefined): string | null {
  return text === undefined || text === null || text === '' || text === 'auto' ? null : text;
}

function readAnswer(bytes: Buffer, context: AnswerContext): AnswerFacts {
  const members = membersOf(bytes);
  if (members === null) return NO_FACTS;
  const failed = isError(bytes, members.get('error'));
  const usage = readUsage(bytes, { members, context });
  const known = usage ?? (failed ? null : unsaid(context.request, context));
  return {
    ...NO_FACTS,
    model: textOf(bytes, members.get('model')),
    usage: known,
    usageComplete: known !== null,
    failed,
  };
}

type Answer = { readonly members: ReadonlyMap<string, JsonMember>; readonly context: AnswerContext };

function readUsage(bytes: Buffer, { members, context }: Answer): Usage | null {
  const member = members.get('usage');
  if (member === undefined) return null;
  const { request: _drawn, ...around } = usageContext(context, {
    serviceTier: textOf(bytes, members.get('service_tier')),
  });
  const usage = openAiImagesUsage(memberText(bytes, member), around);
  const svg = svgUsage(memberValue(bytes, members.get('svg_usage')));
  return usage === null || svg.length === 0 ? usage : { ...usage, others: svg };
}

/** Without usage the images asked for are what is billed: none is drawn for nothing. */
function unsaid(request: WireRequest, context: AnswerContext): Usage {
  const usage = usageWithout(request.meters ?? {}, usageContext(context, { serviceTier: '' }));
  return request.others === undefined ? usage : { ...usage, others: request.others };
}
