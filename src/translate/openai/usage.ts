import { inputTokens, outputTokens, type Usage } from '#terms';

/** Usage as OpenAI's chat counts: everything cached, written and heard inside the prompt, every thought inside the completion. */
export function writeUsage({ meters }: Usage): Readonly<Record<string, unknown>> {
  const prompt = inputTokens(meters);
  const completion = outputTokens(meters);
  const written = [meters.cache_write, meters.cache_write_5m, meters.cache_write_1h].filter((one) => one !== undefined);
  const cached = [meters.cache_read, meters.cache_read_audio, meters.cache_read_image].filter(
    (one) => one !== undefined,
  );
  const heard = [meters.input_audio, meters.cache_read_audio].filter((one) => one !== undefined);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: sum(cached),
      ...(written.length === 0 ? {} : { cache_write_tokens: sum(written) }),
      ...(heard.length === 0 ? {} : { audio_tokens: sum(heard) }),
    },
    completion_tokens_details: {
      reasoning_tokens: meters.output_reasoning ?? 0,
      ...(meters.output_audio === undefined ? {} : { audio_tokens: meters.output_audio }),
    },
  };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, one) => all + one, 0);
}
