import type { PricedAttempt } from '#pricing';
import type { PicoUsd } from '#terms';
import type { WireRequest } from '#wires';
import type { Accepted } from './accept.ts';
import type { CallDeps } from './call.ts';
import type { Caller } from './identify.ts';
import type { Asking } from './routing.ts';
import type { Tagged } from './tagging.ts';
import type { RoutedCall } from './routes.ts';

/** What an answer is expected to have where nothing says how long it will be. */
const USUAL_OUTPUT_TOKENS = 500;

const BYTES_PER_TOKEN = 4;

/** What a request will probably use: most are not as long as they might be. */
export function usualUse(
  asked: Pick<WireRequest, 'maxInputTokens' | 'maxOutputTokens' | 'choices'>,
  bodyBytes: number,
): { readonly inputTokens: number; readonly outputTokens: number; readonly n: number } {
  return {
    inputTokens: Math.ceil((asked.maxInputTokens ?? bodyBytes) / BYTES_PER_TOKEN),
    outputTokens: Math.min(asked.maxOutputTokens ?? USUAL_OUTPUT_TOKENS, USUAL_OUTPUT_TOKENS),
    n: asked.choices,
  };
}

type Asker = {
  readonly call: Accepted;
  readonly caller: Caller;
  readonly tagged: Tagged;
  readonly routed: RoutedCall;
  readonly asked: WireRequest;
};

/** The question where a call goes. */
export function askingOf(deps: Pick<CallDeps, 'prices'>, { call, caller, tagged, routed, asked }: Asker): Asking {
  const use = usualUse(asked, call.body.bytes.length);
  const priced = ({ upstream, model }: Parameters<Asking['expected']>[0]): PricedAttempt => ({
    provider: upstream.priceAs,
    account: upstream.name,
    answered: '',
    asked: model,
    region: upstream.region,
    at: call.startedAt,
    payer: { key: caller.id, team: caller.team, dimensions: tagged.tags.dimensions },
  });
  return {
    model: asked.model,
    wire: routed.route.wire,
    tags: tagged.tags,
    stream: asked.stream,
    expected: (choice): PicoUsd | null => deps.prices().bound(priced(choice), use),
  };
}
