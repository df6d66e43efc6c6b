import type { Meters } from '#terms';
import type { UsageObject, UsageReader } from '../wire.ts';
import { asObject, asObjects, asText } from '../loose-json.ts';
import { Counter, readGiven, toUsage, type Count, type Reading } from '../reading.ts';
import { imageTokenMeters } from './usage-images.ts';

/**
 * Reads the `usage` of a Responses answer (openai SDK 7.55.0, `ResponseUsage`): cached and cache-written tokens are two
 * disjoint parts of `input_tokens`, reasoning is a part of `output_tokens`. What its tools did comes with `context.answer`.
 */
export const openAiResponsesUsage: UsageReader = (usage, context) => {
  const given = readGiven(usage);
  if (given === null) return null;
  const counter = new Counter();
  const { object } = given;
  const details = asObject(object['input_tokens_details']) ?? {};
  const counts = {
    input: counter.count(object['input_tokens']),
    cached: counter.count(details['cached_tokens']),
    written: readWritten(details, counter),
    output: counter.count(object['output_tokens']),
    reasoning: counter.count((asObject(object['output_tokens_details']) ?? {})['reasoning_tokens']),
    total: counter.count(object['total_tokens']),
  };
  if (counter.absurd) return toUsage(given, 'absurd', context);
  if (counts.input === undefined && counts.output === undefined) {
    const stated = context.quirks.reportedCost?.(object);
    return stated === undefined ? null : toUsage(given, { meters: {}, sound: true }, context);
  }
  const read = readCounts(counts);
  return toUsage(given, { ...read, meters: { ...read.meters, ...context.answer } }, context);
};

type Counts = Readonly<Record<'input' | 'cached' | 'written' | 'output' | 'reasoning' | 'total', Count>>;

function readCounts({ input, cached, written, output, reasoning, total }: Counts): Reading {
  const inCache = (cached ?? 0) + (written ?? 0);
  const uncached = input === undefined ? undefined : input - inCache;
  const thoughtOutside = (reasoning ?? 0) > (output ?? 0);
  const text = output === undefined || thoughtOutside ? output : output - (reasoning ?? 0);
  const totalHolds = total === undefined || total === (input ?? 0) + (output ?? 0);
  return {
    meters: {
      // More cached than sent: this provider counts the cache outside.
      input: uncached !== undefined && uncached < 0 ? input : uncached,
      cache_read: cached,
      cache_write: written,
      output_text: text,
      output_reasoning: reasoning,
    },
    sound: uncached !== undefined && uncached >= 0 && output !== undefined && !thoughtOutside && totalHolds,
  };
}

/** What was written, which may be told by lifetime alone. */
function readWritten(details: UsageObject, counter: Counter): Count {
  const written = counter.count(details['cache_write_tokens']);
  const lifetimes = asObject(details['cache_write_tokens_details']);
  if (lifetimes === null) return written;
  const short = counter.count(lifetimes['ttl_30m_tokens']);
  const long = counter.count(lifetimes['ttl_12h_tokens']);
  if (written !== undefined || (short === undefined && long === undefined)) return written;
  return (short ?? 0) + (long ?? 0);
}

/** What tools did besides the model's tokens. */
export type ToolsUsed = {
  readonly meters: Meters;
  readonly others: OtherUsage;
  readonly sound: boolean;
};

export type OtherUsage = readonly { readonly model: string; readonly meters: Meters }[];

/** What the answer says of the tools it used, beside its `usage`. */
export type ToolReport = {
  readonly toolUsage: unknown;
  readonly output: unknown;
  /** The tools as they were set, which name the model that draws. */
  readonly tools: unknown;
};

/** Tools that were offered and not called cost nothing: only what was done counts. */
export function readToolsUsed({ toolUsage, output, tools }: ToolReport): ToolsUsed {
  const items = asObjects(output);
  const counter = new Counter();
  const usage = asObject(toolUsage) ?? {};
  const meters: { -readonly [meter in keyof Meters]: Meters[meter] } = {};

  const searches = counter.count((asObject(usage['web_search']) ?? {})['num_requests']) ?? countSearches(items);
  if (searches !== undefined) meters.web_search = searches;
  const fileSearches = count(items, 'file_search_call');
  if (fileSearches > 0) meters.file_search = fileSearches;
  const containers = new Set(items.filter(isOf('code_interpreter_call')).map((item) => item['container_id']));
  if (containers.size > 0) meters.code_execution = containers.size;
  const drawn = readDrawn(usage, { items, tools });
  return { meters, others: [...(drawn ?? []), ...readSvg(items)], sound: drawn !== null && !counter.absurd };
}

/** Before `tool_usage` there were only the items: each search is one, opening a page or finding a word on it is none. */
function countSearches(items: readonly UsageObject[]): number | undefined {
  const searches = items.filter(isOf('web_search_call')).filter((item) => {
    const action = asText((asObject(item['action']) ?? {})['type']);
    return (action === 'search' || action === '') && item['status'] !== 'failed';
  });
  return searches.length === 0 ? undefined : searches.length;
}

/** The tokens of the model that drew; null when they cannot be read. */
function readDrawn(usage: UsageObject, { items, tools }: Shown): OtherUsage | null {
  // Which model draws when none is named is the provider's choice, so no price row is named either.
  const model = asText(asObjects(tools).find(isOf('image_generation'))?.['model']) || 'image_generation';
  const drawn = asObject(usage['image_gen']);
  if (drawn !== null) {
    const meters = imageTokenMeters(drawn);
    if (meters === null) return null;
    return Object.values(meters).every((quantity) => quantity === 0) ? [] : [{ model, meters }];
  }
  const images = count(items, 'image_generation_call');
  return images === 0 ? [] : [{ model, meters: { image: images } }];
}

type Shown = { readonly items: readonly UsageObject[]; readonly tools: unknown };

function readSvg(items: readonly UsageObject[]): OtherUsage {
  return items.filter(isOf('image_generation_call')).flatMap((item) => svgUsage(item['svg_usage']));
}

/** The model that writes a drawing as SVG bills its own tokens (openai SDK 7.55.0, `ImagesResponse.SvgUsage`). */
export function svgUsage(value: unknown): OtherUsage {
  const usage = asObject(value);
  if (usage === null) return [];
  const counter = new Counter();
  const input = counter.count(usage['input_tokens']);
  const output = counter.count(usage['output_tokens']);
  const reasoning = counter.count(usage['reasoning_tokens']) ?? 0;
  if (counter.absurd || input === undefined || output === undefined) return [];
  const inside = reasoning <= output;
  return [
    {
      model: asText(usage['model']),
      meters: { input, output_text: inside ? output - reasoning : output, output_reasoning: reasoning },
    },
  ];
}

function count(items: readonly UsageObject[], type: string): number {
  return items.filter(isOf(type)).filter((item) => item['status'] !== 'failed').length;
}

function isOf(type: string): (item: UsageObject) => boolean {
  return (item) => item['type'] === type;
}
