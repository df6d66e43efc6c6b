import { inputTokens, outputTokens, type Usage } from '#terms';

/** Usage as Google counts: the cache inside the prompt, thoughts and the tools' prompt beside the other counts. */
export function writeUsage({ meters }: Usage): Readonly<Record<string, number>> {
  const tool = meters.input_tool ?? 0;
  const prompt = inputTokens(meters) - tool;
  const thoughts = meters.output_reasoning ?? 0;
  const candidates = outputTokens(meters) - thoughts;
  const cached = (meters.cache_read ?? 0) + (meters.cache_read_audio ?? 0) + (meters.cache_read_image ?? 0);
  return {
    promptTokenCount: prompt,
    candidatesTokenCount: candidates,
    totalTokenCount: prompt + tool + candidates + thoughts,
    ...(cached > 0 ? { cachedContentTokenCount: cached } : {}),
    ...(tool > 0 ? { toolUsePromptTokenCount: tool } : {}),
    ...(thoughts > 0 ? { thoughtsTokenCount: thoughts } : {}),
  };
}
