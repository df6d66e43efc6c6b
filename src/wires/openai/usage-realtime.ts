import type { UsageObject, UsageReader } from '../wire.ts';
import { asObject } from '../loose-json.ts';
import { Counter, readGiven, toUsage, type Count, type Reading } from '../reading.ts';

type Split = { readonly text: Count; readonly audio: Count; readonly image: Count };

/**
 * Reads the `usage` of a realtime `response.done` (openai SDK 7.55.0, `RealtimeResponseUsage`): each modality, and the part
 * of it that came from the cache.
 */
export const openAiRealtimeUsage: UsageReader = (usage, context) => {
  const given = readGiven(usage);
  if (given === null) return null;
  const read = readRealtime(given.object);
  return read === null ? null : toUsage(given, read, context);
};

function readRealtime(usage: UsageObject): Reading | 'absurd' | null {
  const counter = new Counter();
  const details = asObject(usage['input_token_details']) ?? {};
  const input = counter.count(usage['input_tokens']);
  const output = counter.count(usage['output_tokens']);
  const total = counter.count(usage['total_tokens']);
  const cached = counter.count(details['cached_tokens']);
  const given = readSplit(details, counter);
  const cache = readSplit(details['cached_tokens_details'], counter);
  const said = readSplit(usage['output_token_details'], counter);
  if (counter.absurd) return 'absurd';
  if (input === undefined && output === undefined) return null;

  const heard = readInput({ input: input ?? 0, cached, given, cache });
  const text = (output ?? 0) - (said.audio ?? 0);
  return {
    meters: { ...heard.meters, output_text: Math.max(text, 0), output_audio: said.audio },
    sound:
      heard.sound &&
      text >= 0 &&
      (said.text === undefined || said.text === text) &&
      (total === undefined || total === (input ?? 0) + (output ?? 0)),
  };
}

type Heard = { readonly input: number; readonly cached: Count; readonly given: Split; readonly cache: Split };

/** What is neither audio nor image is text; what of the cache is not told apart is text too, and flagged. */
function readInput({ input, cached, given, cache }: Heard): Reading {
  const audio = (given.audio ?? 0) - (cache.audio ?? 0);
  const image = (given.image ?? 0) - (cache.image ?? 0);
  const cachedText = cached === undefined ? cache.text : cached - (cache.audio ?? 0) - (cache.image ?? 0);
  const text = input - (given.audio ?? 0) - (given.image ?? 0) - (cachedText ?? 0);
  const fits = audio >= 0 && image >= 0 && text >= 0 && (cachedText ?? 0) >= 0;
  const told = cachedText === cache.text || (cache.text === undefined && (given.audio ?? 0) + (given.image ?? 0) === 0);
  if (!fits) {
    const rest = input - (given.audio ?? 0) - (given.image ?? 0);
    return { meters: { input: Math.max(rest, 0), input_audio: given.audio, input_image: given.image }, sound: false };
  }
  return {
    meters: {
      input: text,
      input_audio: given.audio === undefined ? undefined : audio,
      input_image: given.image === undefined ? undefined : image,
      cache_read: cachedText,
      cache_read_audio: cache.audio,
      cache_read_image: cache.image,
    },
    sound: told || cachedText === 0,
  };
}

function readSplit(value: unknown, counter: Counter): Split {
  const split = asObject(value) ?? {};
  return {
    text: counter.count(split['text_tokens']),
    audio: counter.count(split['audio_tokens']),
    image: counter.count(split['image_tokens']),
  };
}
