import { scanJsonObject } from '#std';
import { parseTarget, withoutApiPrefix } from '#http';
import { ApportionError, toOpenAiError } from '#terms';
import type { RequestBody } from '#wires';
import { NO_BATCH_WORK } from './batches/batch-work.ts';
import { accept, type Accepted } from './accept.ts';
import { fittingIn, reachAfter, visitorOf, wishOf, type AdmitDeps } from './admission.ts';
import { draft, type Journey } from './attempt.ts';
import type { CallDeps, Exchange } from './call.ts';
import { wayOf } from './choose.ts';
import { askingOf } from './expected.ts';
import { identify } from './identify.ts';
import type { Reach, Step } from './route/itinerary.ts';
import { CALL_ROUTES, findRoute, type RoutedCall } from './routes.ts';
import { explanationAnswer, type Prediction, type Prospect } from './route-answer.ts';

const USUAL_PATH = '/v1/chat/completions';

/**
 * `POST /v1/route/explain`: where a request would go and why, without sending, reserving or recording anything. The request is the one the
 * caller would send, with its headers and its key; `path`, in the query or the body, says which route it is for.
 */
export async function explainRoute(deps: CallDeps, exchange: Exchange & { readonly query: string }): Promise<unknown> {
  const { request, query } = exchange;
  const caller = identify(deps, { request, dialect: 'openai', query });
  const { call: accepted, path } = withoutPath(await accept(deps, request), new URLSearchParams(query).get('path'));
  const routed = routeOf(path, request.headers['anthropic-version'] !== undefined);
  const call = { ...accepted, body: { ...accepted.body, target: routed.target } };
  const { tags, declared } = deps.tagging.explain({ body: call.body, headers: request.headersDistinct, caller });
  const tagged = { tags, declared, notes: {} };
  const asked = routed.route.wire.readRequest(call.body);
  if (asked.model === '') throw new ApportionError('invalid_field', 'The request names no model.', { param: 'model' });
  const asking = askingOf(deps, { call, caller, tagged, routed, asked });
  const planned = deps.routing.plan(asking);
  const about = { path, routed, asking, planned };
  try {
    const itinerary = wayOf(deps, { caller, routed }, about);
    const journey = { call, caller, tagged, routed, asked, asking, itinerary, downgraded: [], batch: NO_BATCH_WORK };
    return explanationAnswer({ ...about, ...(await foresee(deps, journey)), error: null });
  } catch (error) {
    if (!(error instanceof ApportionError) || error.status >= 500) throw error;
    return explanationAnswer({ ...about, prospects: [], prediction: null, error: toOpenAiError(error) });
  }
}

/** `path` is no field of the call: what is judged is what would be sent. */
function withoutPath(call: Accepted, named: string | null): { readonly call: Accepted; readonly path: string } {
  const { bytes, members } = call.body;
  const member = members.get('path');
  if (member === undefined) return { call, path: named ?? USUAL_PATH };
  const stated: unknown = JSON.parse(bytes.toString('utf8', member.valueStart, member.end));
  if (typeof stated !== 'string')
    throw new ApportionError('invalid_field', 'path: not a text.', { param: 'path', hint: `Send ${USUAL_PATH}.` });
  const rest = Array.from(members.values())
    .filter((one) => one !== member)
    .map(({ start, end }) => bytes.toString('utf8', start, end));
  const body: RequestBody = { ...call.body, ...rewritten(`{${rest.join(',')}}`) };
  return { call: { ...call, body }, path: named ?? stated };
}

function rewritten(json: string): Pick<RequestBody, 'bytes' | 'members'> {
  const bytes = Buffer.from(json);
  const scan = scanJsonObject(bytes);
  const members = scan.ok ? scan.members : [];
  return { bytes, members: new Map(members.map((member) => [member.key, member])) };
}

function routeOf(path: string, anthropic: boolean): RoutedCall {
  const { path: whole, query } = parseTarget(path);
  const plain = withoutApiPrefix(whole);
  const routed = findRoute({ method: 'POST', whole, path: plain, query, anthropic });
  if (routed !== undefined && routed !== 'POST' && (CALL_ROUTES.has(plain) || routed.target.model !== ''))
    return routed;
  throw new ApportionError('invalid_field', `path: ${path} is no route of calls that name a model.`, {
    param: 'path',
    hint: `Send a path such as ${USUAL_PATH}, /v1/messages or /v1beta/models/gemini-2.5-flash:generateContent.`,
  });
}

/** What would become of a call at each deployment it can go to, and where `admit` would take it. The journey is used up. */
export async function foresee(
  deps: AdmitDeps,
  journey: Journey,
): Promise<{ readonly prospects: readonly Prospect[]; readonly prediction: Prediction }> {
  const prospects = await judged(deps, journey, prospectsOf(deps, journey));
  return { prospects, prediction: predict(deps, prospects) };
}

/** Every deployment that the call can go to, in the order they are tried, drafted for it. */
function prospectsOf(deps: AdmitDeps, journey: Journey): readonly Prospect[] {
  const prospects: Prospect[] = [];
  for (let step: Step | null = journey.itinerary.first(); step !== null; step = journey.itinerary.instead('any'))
    prospects.push({ step, finding: drafted(deps, journey, step) });
  return prospects;
}

function drafted(deps: AdmitDeps, journey: Journey, step: Step): Prospect['finding'] {
  try {
    return { kind: 'fits', plan: draft(deps, journey, { step, earlier: [], outputTokens: null }) };
  } catch (error) {
    if (error instanceof ApportionError && error.code === 'invalid_field') return { kind: 'unable', error };
    throw error;
  }
}

/** The deployments' own limits, then all budgets and limits. */
async function judged(deps: AdmitDeps, journey: Journey, prospects: readonly Prospect[]): Promise<readonly Prospect[]> {
  const fitting = prospects.flatMap(({ step, finding }) =>
    finding.kind === 'fits' ? [{ step, plan: finding.plan }] : [],
  );
  const asks = fitting.map(({ plan }) => ({ intent: plan.open, wish: wishOf(deps, plan, []) }));
  const reservations = await deps.recording.peek(asks);
  return prospects.map(({ step, finding }): Prospect => {
    if (finding.kind !== 'fits') return { step, finding };
    const { plan } = finding;
    const own = step.deployment?.peek(visitorOf(journey, plan)) ?? null;
    if (own?.kind === 'limited') return { step, finding: { kind: 'turned', plan, by: own, reach: 'any' } };
    const reservation = reservations[fitting.findIndex((one) => one.step === step)];
    if (reservation === undefined || reservation.kind === 'admitted') return { step, finding };
    return { step, finding: { kind: 'turned', plan, by: reservation, reach: reachAfter(reservation) } };
  });
}

/** As `admit` goes through them: the first that fits, else the first that fits with less. */
function predict(deps: AdmitDeps, prospects: readonly Prospect[]): Prediction {
  let reach: Reach = 'any';
  const turned: Prospect[] = [];
  for (const prospect of prospects) {
    const { step, finding } = prospect;
    if (reach === 'none' || (reach === 'own' && step.cause === 'fallback')) continue;
    if (finding.kind === 'fits') return { step, outputTokens: null, downgradeTo: null };
    if (finding.kind === 'unable') continue;
    turned.push(prospect);
    if (finding.by.kind === 'downgrade') break;
    reach = finding.reach;
  }
  for (const { step, finding } of turned) {
    if (finding.kind !== 'turned') continue;
    const { by, plan } = finding;
    if (by.kind === 'downgrade') return { step, outputTokens: null, downgradeTo: by.model };
    const outputTokens = fittingIn(deps, plan, by);
    if (outputTokens !== null) return { step, outputTokens, downgradeTo: null };
  }
  return null;
}
