import type { Meters } from '#terms';
import type { AnswerContext, UsageContext } from './wire.ts';

/** What the answer says outside its usage object; empty and absent alike say nothing. */
export type Beside = { readonly serviceTier: string; readonly answer?: Meters };

/** What a usage reader needs to know of the answer around the usage object. */
export function usageContext(context: AnswerContext, { serviceTier, answer }: Beside): UsageContext {
  const given: { -readonly [key in keyof UsageContext]: UsageContext[key] } = { quirks: context.quirks };
  if (serviceTier !== '') given.serviceTier = serviceTier;
  if (context.request.meters !== undefined) given.request = context.request.meters;
  if (answer !== undefined) given.answer = answer;
  const cost = headerCost(context);
  if (cost !== undefined) given.reportedCost = cost;
  return given;
}

const ZERO = /^[-+]?0*\.?0*(?:[eE][-+]?\d+)?$/;

/** The cost in the provider's answer header. */
function headerCost({ quirks, headers, request }: AnswerContext): string | undefined {
  if (quirks.reportedCostHeader === null) return undefined;
  const value = headers[quirks.reportedCostHeader];
  const text = (typeof value === 'string' ? value : (value?.[0] ?? '')).trim();
  // The headers of a stream are sent before its cost is known: what says nothing, or zero, there says nothing.
  if (text === '' || (request.stream && ZERO.test(text))) return undefined;
  return text;
}
