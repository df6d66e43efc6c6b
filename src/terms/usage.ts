/**
 * What can be measured. Every unit of usage is in exactly one meter, so a price line never pays for a token twice.
 * Names follow OpenTelemetry GenAI where it has one; `…_1h` and `…_5m` are Anthropic's cache lifetimes.
 */
export const METERS = [
  'input',
  'input_audio',
  'input_image',
  'input_video',
  'input_tool',
  'cache_read',
  'cache_read_audio',
  'cache_read_image',
  'cache_write',
  'cache_write_5m',
  'cache_write_1h',
  'output_text',
  'output_reasoning',
  'output_audio',
  'output_image',
  'web_search',
  'grounded_prompt',
  'file_search',
  'code_execution',
  'search_unit',
  'audio_seconds',
  'input_characters',
  'image',
  'page',
  'request',
] as const;

export type Meter = (typeof METERS)[number];

/** Disjoint quantities. A meter that was not reported is absent, which is not the same as zero. */
export type Meters = Readonly<Partial<Record<Meter, number>>>;

const INPUT_TOKEN_METERS: ReadonlySet<Meter> = new Set<Meter>([
  'input',
  'input_audio',
  'input_image',
  'input_video',
  'input_tool',
  'cache_read',
  'cache_read_audio',
  'cache_read_image',
  'cache_write',
  'cache_write_5m',
  'cache_write_1h',
]);

const OUTPUT_TOKEN_METERS: ReadonlySet<Meter> = new Set<Meter>([
  'output_text',
  'output_reasoning',
  'output_audio',
  'output_image',
]);

export function isTokenMeter(meter: Meter): boolean {
  return INPUT_TOKEN_METERS.has(meter) || OUTPUT_TOKEN_METERS.has(meter);
}

/** All input tokens, cached ones included (OpenTelemetry `gen_ai.usage.input_tokens`). */
export function inputTokens(meters: Meters): number {
  return total(meters, INPUT_TOKEN_METERS);
}

/** All output tokens, reasoning included (OpenTelemetry `gen_ai.usage.output_tokens`). */
export function outputTokens(meters: Meters): number {
  return total(meters, OUTPUT_TOKEN_METERS);
}

function total(meters: Meters, wanted: ReadonlySet<Meter>): number {
  let sum = 0;
  for (const meter of wanted) sum += meters[meter] ?? 0;
  return sum;
}

/** What an attempt consumed, as read from one answer. */
export type Usage = {
  readonly meters: Meters;
  /**
   * `reported` by the provider, `estimated` by us because the provider did not say, or `partly_estimated`: the input as
   * reported, the output of an answer that was broken off as estimated.
   */
  readonly origin: 'reported' | 'estimated' | 'partly_estimated';
  /** The tier the provider says it served (`default`, `flex`, `priority`, …), which decides the price. */
  readonly serviceTier?: string;
  /** Where the provider says it was processed (`us`), which may change the price. */
  readonly geo?: string;
  /** What other models consumed inside the same answer: advisors, fallbacks, image tools. `meters` is without them. */
  readonly others?: readonly { readonly model: string; readonly meters: Meters }[];
  /** A cost the provider itself reported, exact decimal USD. */
  readonly reportedCost?: string;
  /** True when the provider's own totals contradict its parts; the raw object is kept for a correction. */
  readonly inconsistent?: boolean;
  /** The usage object exactly as the provider sent it (JSON text). Empty for an estimate. */
  readonly raw: string;
};
