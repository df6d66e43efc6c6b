import type { Usage } from '#terms';
import { Counter, readGiven, toUsage, type Count, type Reading } from '../reading.ts';
import type { UsageContext } from '../wire.ts';

/** Which family answered decides what its counts contain, and stands outside the usage object. */
type BedrockContext = UsageContext & { readonly model?: string };

const OPENAI_FAMILY = /(?:^|\.)openai\./;
const NOVA_FAMILY = /(?:^|\.)amazon\./;

type Counts = {
  readonly input: Count;
  readonly output: Count;
  readonly total: Count;
  readonly read: Count;
  readonly written: Count;
  readonly written5m: Count;
  readonly written1h: Count;
};

/**
 * Reads the `usage` of Bedrock's Converse (AWS SDK 3.1162, `TokenUsage`). Claude and Nova count the cache beside
 * `inputTokens`, the OpenAI family counts it inside, whatever `totalTokens` adds up to.
 */
export function readBedrockConverseUsage(usage: unknown, context: BedrockContext): Usage | null {
  const given = readGiven(usage);
  if (given === null) return null;
  const counter = new Counter();
  const counts = readCounts(given.object, counter);
  if (counter.absurd) return toUsage(given, 'absurd', context);
  if (counts.input === undefined && counts.output === undefined) return null;
  const model = context.model ?? '';
  const gross = OPENAI_FAMILY.test(model);
  return toUsage(given, gross ? readGross(counts) : readNet(counts, model), context);
}

function readCounts(usage: Readonly<Record<string, unknown>>, counter: Counter): Counts {
  const details: unknown[] = Array.isArray(usage['cacheDetails']) ? usage['cacheDetails'] : [];
  const writtenFor = (ttl: string): Count => {
    let sum: Count;
    for (const detail of details) {
      if (typeof detail !== 'object' || detail === null) continue;
      const { ttl: name, inputTokens } = detail as { ttl?: unknown; inputTokens?: unknown };
      const count = counter.count(inputTokens);
      if (name === ttl && count !== undefined) sum = (sum ?? 0) + count;
    }
    return sum;
  };
  return {
    input: counter.count(usage['inputTokens']),
    output: counter.count(usage['outputTokens']),
    total: counter.count(usage['totalTokens']),
    read: counter.count(usage['cacheReadInputTokens']),
    written: counter.count(usage['cacheWriteInputTokens']),
    written5m: writtenFor('5m'),
    written1h: writtenFor('1h'),
  };
}

function readNet({ input, output, total, read, written, written5m, written1h }: Counts, model: string): Reading {
  const detailed = (written5m ?? 0) + (written1h ?? 0);
  // What no detail names was written for five minutes, Anthropic's default; Nova knows one lifetime only.
  const rest = Math.max(0, (written ?? 0) - detailed);
  const nova = NOVA_FAMILY.test(model);
  const sum = (input ?? 0) + (output ?? 0) + (read ?? 0) + Math.max(written ?? 0, detailed);
  return {
    meters: {
      input,
      cache_read: read,
      cache_write: nova && written !== undefined ? rest : undefined,
      cache_write_5m: nova || written === undefined ? written5m : (written5m ?? 0) + rest,
      cache_write_1h: written1h,
      output_text: output,
    },
    sound: input !== undefined && output !== undefined && detailed <= (written ?? detailed) && (total ?? sum) === sum,
  };
}

function readGross({ input, output, read, written, written5m, written1h }: Counts): Reading {
  const cacheWrite = written ?? sumOf(written5m, written1h);
  const fresh = (input ?? 0) - (read ?? 0) - (cacheWrite ?? 0);
  return {
    meters: {
      // More cached than counted: this answer's input is what is left beside the cache after all.
      input: fresh >= 0 ? fresh : input,
      cache_read: read,
      cache_write: cacheWrite,
      output_text: output,
    },
    sound: fresh >= 0 && input !== undefined && output !== undefined,
  };
}

function sumOf(left: Count, right: Count): Count {
  return left === undefined && right === undefined ? undefined : (left ?? 0) + (right ?? 0);
}
