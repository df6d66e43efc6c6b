import type { Usage } from '#terms';
import { Counter, readGiven, toUsage } from '../reading.ts';
import type { UsageContext } from '../wire.ts';

/**
 * Reads the counts at the end of an Ollama chat, generation or embedding. What came from the cache is inside
 * `prompt_eval_count`; versions that leave that count out on a cache hit leave the input unknown, not zero.
 */
export function readOllamaUsage(usage: unknown, context: UsageContext): Usage | null {
  const given = readGiven(usage);
  if (given === null) return null;
  const counter = new Counter();
  const prompt = counter.count(given.object['prompt_eval_count']);
  const cached = counter.count(given.object['prompt_eval_cached_count']);
  const output = counter.count(given.object['eval_count']);
  if (counter.absurd) return toUsage(given, 'absurd', context);
  if (prompt === undefined && output === undefined) return null;
  const fresh = prompt === undefined ? undefined : prompt - (cached ?? 0);
  const sound = fresh !== undefined && fresh >= 0;
  const input = sound ? fresh : prompt;
  return toUsage(given, { meters: { input, cache_read: cached, output_text: output }, sound }, context);
}
