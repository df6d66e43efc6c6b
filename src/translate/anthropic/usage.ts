import { inputTokens, outputTokens, type Usage } from '#terms';

/** Usage as Anthropic counts: the cache beside the input, thoughts inside the output. Nothing known is nothing counted. */
export function writeUsage(usage: Usage | null): Readonly<Record<string, unknown>> {
  if (usage === null) return NOTHING;
  const { meters } = usage;
  const short = (meters.cache_write_5m ?? 0) + (meters.cache_write ?? 0);
  const long = meters.cache_write_1h ?? 0;
  const read = (meters.cache_read ?? 0) + (meters.cache_read_audio ?? 0) + (meters.cache_read_image ?? 0);
  return {
    input_tokens: inputTokens(meters) - read - short - long,
    cache_creation_input_tokens: short + long,
    cache_read_input_tokens: read,
    cache_creation: { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long },
    output_tokens: outputTokens(meters),
    ...(meters.output_reasoning === undefined
      ? {}
      : { output_tokens_details: { thinking_tokens: meters.output_reasoning } }),
  };
}

export const NOTHING: Readonly<Record<string, unknown>> = {
  input_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 0,
};
