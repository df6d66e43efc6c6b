import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallEnd, Log, Metrics } from '#observe';
import type { Prices } from '#pricing';
import type { Estimator } from '#wires';
import { accept, type AcceptDeps } from './accept.ts';
import type { Answer } from './answer.ts';
import { admit, consumedBy } from './admission.ts';
import { makeAttempt, type Journey, type Made } from './attempt.ts';
import { prepareBatchCall } from './batches/batch-call.ts';
import type { BatchCallDeps } from './batches/batch-work.ts';
import { choose } from './choose.ts';
import { Client } from './client.ts';
import type { Governor } from './governor.ts';
import { identify, type IdentifyDeps } from './identify.ts';
import type { Recording } from './recording.ts';
import type { Refusals } from './refusals.ts';
import { refuse, release } from './release.ts';
import type { RoutedCall } from './routes.ts';
import type { Step } from './route/itinerary.ts';
import type { Routing } from './routing.ts';
import type { Tagging } from './tagging.ts';
import type { Upstreams } from './upstreams.ts';

export type CallDeps = AcceptDeps &
  IdentifyDeps &
  BatchCallDeps & {
    readonly tagging: Tagging;
    readonly upstreams: Upstreams;
    readonly routing: Routing;
    readonly prices: () => Prices;
    readonly recording: Recording;
    readonly governor: Pick<Governor, 'governs' | 'limits'>;
    readonly refusals: Refusals;
    readonly estimator: Estimator;
    readonly metrics: Metrics;
    readonly log: Log;
  };

export type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

const REFUSED: CallEnd = { provider: '', model: '', status: 'refused', state: 'exact', cost: null };

/**
 * The life of a call, in order: accept → identify → tag → choose → reserve → forward → meter → rate → record → settle. A
 * failed attempt that cost nothing may be followed by another, each with an entry of its own. Whatever fails, the caller
 * gets one error in its dialect; what was spent by then is in the ledger.
 */
export async function handleCall(deps: CallDeps, routed: RoutedCall, exchange: Exchange): Promise<void> {
  const { dialect } = routed.route;
  const client = new Client(exchange.response, { stalledMs: deps.config.timeouts.idleMs });
  const made: Made[] = [];
  let answer: Answer | null = null;
  let ended = REFUSED;
  let took = false;
  deps.metrics.callStarted();
  try {
    let journey = await prepare(deps, { routed, client, exchange });
    for (let step: Step | null = journey.itinerary.first(); step !== null;) {
      const admitted = await admit(deps, journey, { step, earlier: made });
      const { plan, visit } = admitted;
      took ||= admitted.took;
      journey = admitted.journey;
      const { provider, model } = plan.start;
      ended = { provider, model, status: 'lost', state: 'in_doubt', cost: null };
      const attempt = await makeAttempt(deps, { journey, plan, visit }, { client, exchange });
      made.push(attempt);
      answer = attempt.relayed.answer;
      const { status, rated } = attempt.end;
      ended = { provider, model, status, state: rated.state, cost: rated.cost };
      deps.metrics.attemptEnded({ ...ended, cause: plan.start.cause, computedCost: rated.computedCost });
      step = attempt.next;
      if (step !== null) await client.wait(step.waitMs);
      if (client.gone) step = null;
    }
    release({ client, dialect, made });
  } catch (error) {
    refuse(deps, { client, dialect, answer, error });
  } finally {
    if (took) deps.recording.finish(client.callId, consumedBy(made));
    deps.metrics.callEnded(ended);
  }
}

/** accept → identify → tag → choose */
async function prepare(
  deps: CallDeps,
  { routed, client, exchange }: { readonly routed: RoutedCall; readonly client: Client; readonly exchange: Exchange },
): Promise<Journey> {
  const { headers, headersDistinct } = exchange.request;
  const form = routed.route.billing === 'metered' ? 'metered' : 'passed';
  const call = await accept(deps, exchange.request, { target: routed.target, form });
  client.callId = call.callId;
  const { dialect } = routed.route;
  const caller = identify(deps, { request: exchange.request, dialect, query: routed.target.query });
  const tagged = deps.tagging.tag({ body: call.body, headers: headersDistinct, caller });
  const chosen = choose(deps, { call, caller, tagged, routed, headers });
  const { itinerary } = chosen;
  const batch = await prepareBatchCall(deps, { call, caller, routed, tagged, itinerary, headers: headersDistinct });
  return { call: batch.call ?? call, caller, tagged, routed, ...chosen, downgraded: [], batch };
}
