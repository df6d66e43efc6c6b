import type { Seeded } from '../behaviour.ts';
import {
  eventStream,
  isRefusal,
  wholeJson,
  type Answer,
  type Operation,
  type Received,
  type Refusal,
  type Stock,
  type StreamEvent,
} from '../dialect.ts';
import { seededRandom } from '../random.ts';
import { planPrompt } from '../token-plan.ts';
import { DATA_ERROR, makeId, nowSeconds, openAiHeaders, typedEvent } from './answer-parts.ts';
import { readForm } from './form.ts';
import { chooseModel, readFields, refusal, type Chosen } from './refusals.ts';
import { REQUEST_FIELDS } from './request-fields.ts';

/** One pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
/** What one square picture of medium quality is made of. */
const IMAGE_TOKENS = 1056;
const INPUT_IMAGE_TOKENS = 323;

type ImageRequest = Chosen & {
  readonly text: string;
  readonly pictures: number;
  readonly inputPictures: number;
  readonly size: string;
  readonly quality: string;
  readonly stream: boolean;
  readonly event: 'image_generation' | 'image_edit';
};

export const generateImages: Operation = (received, stock) => {
  const known = readFields(received, REQUEST_FIELDS.images);
  if (isRefusal(known)) return known;
  const { fields } = known;
  const texts = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
  return prepare(texts, { stock, inputPictures: 0, event: 'image_generation' });
};

export const editImages: Operation = async (received: Received, stock) => {
  const form = await readForm(received, REQUEST_FIELDS.imageEdits);
  if (isRefusal(form)) return form;
  const inputPictures = form.files.filter(({ name }) => name === 'image').length;
  if (inputPictures === 0) return refusal(400, "Missing required parameter: 'image'.", { param: 'image' });
  return prepare(form.texts, { stock, inputPictures, event: 'image_edit' });
};

export const varyImages: Operation = async (received: Received, stock) => {
  const form = await readForm(received, REQUEST_FIELDS.imageVariations);
  if (isRefusal(form)) return form;
  const inputPictures = form.files.filter(({ name }) => name === 'image').length;
  if (inputPictures === 0) return refusal(400, "Missing required parameter: 'image'.", { param: 'image' });
  return prepare({ ...form.texts, prompt: '' }, { stock, inputPictures, event: 'image_edit' });
};

type Given = Pick<ImageRequest, 'inputPictures' | 'event'> & { readonly stock: Stock };

function prepare(texts: Readonly<Record<string, string>>, { stock, inputPictures, event }: Given) {
  const chosen = chooseModel(texts['model'], { stock, serves: 'images' });
  if (isRefusal(chosen)) return chosen;
  const text = texts['prompt'];
  if (text === undefined) return refusal(400, "Missing required parameter: 'prompt'.", { param: 'prompt' });
  const request: ImageRequest = {
    ...chosen,
    text,
    pictures: Number(texts['n'] ?? 1),
    inputPictures,
    size: texts['size'] ?? '1024x1024',
    quality: texts['quality'] ?? (chosen.served.fees === undefined ? 'medium' : 'standard'),
    stream: texts['stream'] === 'true',
    event,
  };
  return { text, answer: (behaviour: Seeded) => answerImages(request, behaviour) };
}

function answerImages(request: ImageRequest, behaviour: Seeded): Answer | Refusal {
  const id = makeId('req_');
  const created = nowSeconds();
  const data = Array.from({ length: request.pictures }, () => ({ b64_json: PNG }));
  const byThePiece = request.served.fees !== undefined;
  if (byThePiece) {
    // DALL·E reports no usage: what it costs follows from the request.
    const meters = { [`${request.quality}/${request.size}`]: request.pictures };
    return {
      charge: { id, model: request.model, served: request.served, meters, words: [] },
      headers: openAiHeaders(id),
      body: wholeJson({ created, data }),
    };
  }
  const prompt = planPrompt(request.text.length + 6, behaviour, seededRandom(behaviour.seed));
  const image = behaviour.image_tokens ?? request.inputPictures * INPUT_IMAGE_TOKENS;
  const output = behaviour.completion_tokens ?? request.pictures * IMAGE_TOKENS;
  const usage = {
    total_tokens: prompt + image + output,
    input_tokens: prompt + image,
    output_tokens: output,
    input_tokens_details: { text_tokens: prompt, image_tokens: image },
  };
  const look = { background: 'opaque', output_format: 'png', quality: request.quality, size: request.size };
  const told = behaviour.usage === 'none' ? {} : { usage };
  return {
    charge: { id, model: request.model, served: request.served, meters: { input: prompt, image, output }, words: [] },
    headers: openAiHeaders(id),
    body: request.stream
      ? eventStream([...imageEvents(request.event, { created_at: created, ...look }, told)], DATA_ERROR)
      : wholeJson({ created, ...look, data, ...told }),
  };
}

function* imageEvents(event: ImageRequest['event'], look: object, told: object): Generator<StreamEvent> {
  for (const index of [0, 1]) {
    yield typedEvent(`${event}.partial_image`, { b64_json: PNG, partial_image_index: index, ...look }, true);
  }
  yield typedEvent(`${event}.completed`, { b64_json: PNG, ...look, ...told }, true);
}
