import type { Usage } from '#terms';
import { Counter, readGiven, toUsage } from '../reading.ts';
import type { UsageContext } from '../wire.ts';

/**
 * Reads what Bedrock's Invoke says of any model: `amazon-bedrock-invocationMetrics` of a stream's last chunk, or the same
 * counts from the answer's headers. A Claude body has Anthropic's own usage, which says more, and Anthropic's reader.
 */
export function readBedrockInvokeUsage(usage: unknown, context: UsageContext): Usage | null {
  const given = readGiven(usage);
  if (given === null) return null;
  const { object } = given;
  const counter = new Counter();
  const input = counter.count(object['inputTokenCount'] ?? object['x-amzn-bedrock-input-token-count']);
  const output = counter.count(object['outputTokenCount'] ?? object['x-amzn-bedrock-output-token-count']);
  const meters = {
    input,
    cache_read: counter.count(object['cacheReadInputTokenCount']),
    cache_write_5m: counter.count(object['cacheWriteInputTokenCount']),
    output_text: output,
  };
  if (counter.absurd) return toUsage(given, 'absurd', context);
  if (input === undefined && output === undefined) return null;
  return toUsage(given, { meters, sound: input !== undefined && output !== undefined }, context);
}
