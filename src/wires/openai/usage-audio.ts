import type { UsageObject, UsageReader } from '../wire.ts';
import { asObject } from '../loose-json.ts';
import { Counter, readGiven, toUsage, usageWithout, type Count, type Reading } from '../reading.ts';

/**
 * Reads the `usage` of a transcription (openai SDK 7.55.0): tokens, audio and text apart, or the seconds heard. Null when the
 * answer has none, as a plain text or subtitles.
 */
export const openAiTranscriptionUsage: UsageReader = (usage, context) => {
  const given = readGiven(usage);
  const read = given === null ? null : (readSeconds(given.object) ?? readTranscribed(given.object));
  if (given !== null && read !== null) return toUsage(given, read, context);
  return context.answer === undefined ? null : usageWithout(context.answer, context);
};

function readSeconds(usage: UsageObject): Reading | 'absurd' | null {
  const counter = new Counter();
  // Mistral's transcriptions bill seconds too, beside the few tokens of a prompt.
  const seconds = counter.measure(usage['seconds']);
  if (counter.absurd) return 'absurd';
  return seconds === undefined ? null : { meters: { audio_seconds: seconds }, sound: true };
}

function readTranscribed(usage: UsageObject): Reading | 'absurd' | null {
  const counter = new Counter();
  const details = asObject(usage['input_token_details']) ?? asObject(usage['input_tokens_details']) ?? {};
  const counts = {
    input: counter.count(usage['input_tokens'] ?? usage['prompt_tokens']),
    output: counter.count(usage['output_tokens'] ?? usage['completion_tokens']),
    total: counter.count(usage['total_tokens']),
    audio: counter.count(details['audio_tokens']),
    text: counter.count(details['text_tokens']),
    seconds: counter.measure(usage['prompt_audio_seconds']),
  };
  if (counter.absurd) return 'absurd';
  const { input, output, total, audio, text, seconds } = counts;
  if (input === undefined && output === undefined) return null;
  const heard = audio ?? 0;
  const written = (input ?? 0) - heard;
  const sum = (input ?? 0) + (output ?? 0);
  return {
    meters: {
      input: Math.max(written, 0),
      input_audio: audio,
      audio_seconds: seconds,
      output_text: output,
    },
    sound:
      written >= 0 &&
      (text === undefined || text === written) &&
      (total === undefined || total === sum || (seconds !== undefined && total > sum)),
  };
}

/**
 * Reads the `usage` of spoken text, which only streams carry (`speech.audio.done`): text tokens in, audio tokens out. Without
 * one, the characters of the request are all that is known: they are what `tts-1` bills, and what a model billed by audio
 * tokens has no price for.
 */
export const openAiSpeechUsage: UsageReader = (usage, context) => {
  const given = readGiven(usage);
  const read = given === null ? null : readSpoken(given.object);
  if (given !== null && read !== null) return toUsage(given, read, context);
  return context.request === undefined ? null : usageWithout(context.request, context);
};

function readSpoken(usage: UsageObject): Reading | 'absurd' | null {
  const counter = new Counter();
  const details = asObject(usage['output_token_details']) ?? asObject(usage['output_tokens_details']) ?? {};
  const input: Count = counter.count(usage['input_tokens']);
  const output: Count = counter.count(usage['output_tokens']);
  const total: Count = counter.count(usage['total_tokens']);
  const text: Count = counter.count(details['text_tokens']);
  if (counter.absurd) return 'absurd';
  if (input === undefined && output === undefined) return null;
  const spoken = (output ?? 0) - (text ?? 0);
  return {
    meters: { input, output_audio: output === undefined ? undefined : Math.max(spoken, 0), output_text: text },
    sound: spoken >= 0 && output !== undefined && (total === undefined || total === (input ?? 0) + output),
  };
}
