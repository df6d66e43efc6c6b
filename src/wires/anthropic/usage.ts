import type { Meters, Usage } from '#terms';
import type { UsageContext, UsageObject, UsageReader } from '../wire.ts';
import { asObject, asText, parseLoosely } from '../loose-json.ts';
import { readCount, readTokens, toMeters } from './counts.ts';
import { readAnswerTokens, type AnswerTokens } from './iterations.ts';

/**
 * Reads the `usage` of a message (JSON text, or the parsed value) into disjoint meters: the cache stands beside
 * `input_tokens`, thoughts inside `output_tokens`. Null when the provider did not say. A count that is no count leaves no
 * meter at all, `inconsistent` and the raw object: half an answer would be billed as if it were the whole.
 */
export const readAnthropicUsage: UsageReader = (usage, context) => {
  const object = asObject(typeof usage === 'string' ? parseLoosely(usage) : usage);
  if (object === null) return null;
  const raw = typeof usage === 'string' ? usage : JSON.stringify(usage);
  const counted = readTokens(object);
  if (counted !== 'absurd' && Object.keys(counted.tokens).length === 0 && !Array.isArray(object['iterations']))
    return null;
  const answer = counted === 'absurd' ? 'absurd' : readAnswerTokens(object, counted);
  return { ...readMeters(object, answer, context), origin: 'reported', ...readTerms(object, context), raw };
};

function readMeters(
  usage: UsageObject,
  answer: AnswerTokens | 'absurd',
  { request, answer: shown }: UsageContext,
): Pick<Usage, 'meters' | 'others' | 'inconsistent'> {
  const thinking = readCount(asObject(usage['output_tokens_details'])?.['thinking_tokens']);
  const searches = readCount(asObject(usage['server_tool_use'])?.['web_search_requests']);
  if (answer === 'absurd' || thinking === 'absurd' || searches === 'absurd') return { meters: {}, inconsistent: true };
  const { tokens, others } = answer;
  const meters: Meters = {
    ...request,
    ...shown,
    ...toMeters(tokens, thinking),
    ...(searches === undefined ? {} : { web_search: searches }),
  };
  const sound =
    answer.sound &&
    (thinking ?? 0) <= (tokens.output ?? 0) &&
    tokens.input !== undefined &&
    tokens.output !== undefined &&
    !isRepriced(usage);
  return { meters, ...(others.length === 0 ? {} : { others }), ...(sound ? {} : { inconsistent: true }) };
}

/**
 * A redeemed credit bills the cache writes of a retry as reads, and the usage does not say how many
 * (platform.claude.com, fallback credit): the counts stand, marked for reconciliation.
 */
function isRepriced(usage: UsageObject): boolean {
  const status = asObject(asObject(usage['fallback_credit'])?.['status']);
  return status?.['type'] === 'redeemed';
}

/** What models say that know no places. */
const UNTOLD = 'not_available';

/** What decides the price beside the counts: tier, speed, place, and a cost the server states. */
function readTerms(
  usage: UsageObject,
  context: UsageContext,
): Pick<Usage, 'serviceTier' | 'geo' | 'reportedCost' | 'inconsistent'> {
  const serviceTier = readServed(usage, context.serviceTier ?? '');
  const place = asText(usage['inference_geo']);
  const geo = place === '' || place === UNTOLD ? (context.geo ?? '') : place;
  const reportedCost = context.quirks.reportedCost?.(usage) ?? context.reportedCost;
  return {
    ...(serviceTier === '' ? {} : { serviceTier }),
    ...(geo === '' ? {} : { geo }),
    ...(reportedCost === undefined ? {} : { reportedCost }),
  };
}

/**
 * Fast answers have a price list of their own, and are sold in the standard tier only. Should one ever be served in
 * another, both names stand together: no row has that name, and an unknown price is better than a wrong one.
 */
function readServed(usage: UsageObject, outside: string): string {
  const tier = asText(usage['service_tier']) || outside;
  if (usage['speed'] !== 'fast') return tier;
  return tier === '' || tier === 'standard' ? 'fast' : `${tier}+fast`;
}

/** Usage of an answer that is not at its end: what is counted so far of its output, thoughts and text in one. */
export function outputSoFar(usage: Usage): Usage {
  const { output_text: text, output_reasoning: thoughts, ...input } = usage.meters;
  if (text === undefined) return usage;
  return { ...usage, meters: { ...input, output_text: text + (thoughts ?? 0) } };
}
