import type { Usage } from '#terms';
import { NO_QUIRKS } from '../wire.ts';
import { asObject, asObjects, asText } from '../loose-json.ts';
import { openAiChatUsage } from './usage.ts';

/**
 * Groq's compound systems call several models for one answer and say what each used (`usage_breakdown.models`, in a stream
 * inside `x_groq`). Each is billed at its own rates, so the sum of them all is not billed again.
 */
export function withBreakdown(usage: Usage, value: unknown): Usage {
  const holder = asObject(value);
  if (holder === null) return usage;
  const breakdown = asObject(holder['usage_breakdown']) ?? holder;
  const models = asObjects(breakdown['models']).map((one) => ({
    model: asText(one['model']),
    usage: openAiChatUsage(one['usage'], { quirks: NO_QUIRKS }),
  }));
  if (models.length === 0) return usage;
  const others = models.flatMap((one) => (one.usage === null ? [] : [{ model: one.model, meters: one.usage.meters }]));
  const sound = models.every((one) => one.model !== '' && one.usage !== null && one.usage.inconsistent !== true);
  return { ...usage, meters: {}, others, ...(sound ? {} : { inconsistent: true }) };
}
