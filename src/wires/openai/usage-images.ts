import type { Meters } from '#terms';
import { NO_QUIRKS, type UsageObject, type UsageReader } from '../wire.ts';
import { asObject } from '../loose-json.ts';
import { Counter, readGiven, toUsage, usageWithout, type Count, type Reading } from '../reading.ts';

/**
 * Reads the `usage` of an image answer (openai SDK 7.55.0, `ImagesResponse.Usage`): text and image tokens in, image tokens
 * out. Models that report none are billed by the image, which the request decides.
 */
export const openAiImagesUsage: UsageReader = (usage, context) => {
  const given = readGiven(usage);
  const read = given === null ? null : readImageTokens(given.object);
  if (given === null || read === null)
    return context.request === undefined ? null : usageWithout(context.request, context);
  return toUsage(given, read, context);
};

/** The meters of a sound image usage object, null for any other. */
export function imageTokenMeters(usage: UsageObject): Meters | null {
  const read = readImageTokens(usage);
  if (read === null || read === 'absurd' || !read.sound) return null;
  return toUsage({ object: usage, raw: '' }, read, { quirks: NO_QUIRKS }).meters;
}

function readImageTokens(usage: UsageObject): Reading | 'absurd' | null {
  const counter = new Counter();
  const inputDetails = asObject(usage['input_tokens_details']) ?? {};
  const outputDetails = asObject(usage['output_tokens_details']) ?? {};
  const cachedDetails =
    asObject(usage['cached_tokens_details']) ?? asObject(inputDetails['cached_tokens_details']) ?? {};
  const input = counter.count(usage['input_tokens']);
  const output = counter.count(usage['output_tokens']);
  const total = counter.count(usage['total_tokens']);
  const imageIn = counter.count(inputDetails['image_tokens']);
  const textOut = counter.count(outputDetails['text_tokens']);
  const cached = counter.count(usage['cached_tokens'] ?? inputDetails['cached_tokens']);
  const cachedImage = counter.count(cachedDetails['cached_image_tokens'] ?? cachedDetails['image_tokens']);
  if (counter.absurd) return 'absurd';
  if (input === undefined && output === undefined) return null;
  const left = splitInput({ input: input ?? 0, imageIn, cached, cachedImage });
  const imageOut = (output ?? 0) - (textOut ?? 0);
  return {
    meters: { ...left.meters, output_image: Math.max(imageOut, 0), output_text: textOut },
    sound:
      left.sound &&
      imageOut >= 0 &&
      input !== undefined &&
      output !== undefined &&
      (total === undefined || total === input + output),
  };
}

type Input = { readonly input: number; readonly imageIn: Count; readonly cached: Count; readonly cachedImage: Count };

function splitInput({ input, imageIn, cached, cachedImage }: Input): Reading {
  const image = (imageIn ?? 0) - (cachedImage ?? 0);
  const cachedText = cached === undefined ? undefined : cached - (cachedImage ?? 0);
  const text = input - (imageIn ?? 0) - (cachedText ?? 0);
  const sound = text >= 0 && image >= 0 && (cachedText ?? 0) >= 0;
  if (!sound) return { meters: { input: Math.max(input - (imageIn ?? 0), 0), input_image: imageIn }, sound };
  return {
    meters: {
      input: text,
      input_image: imageIn === undefined ? undefined : image,
      cache_read: cachedText,
      cache_read_image: cachedImage,
    },
    sound,
  };
}
