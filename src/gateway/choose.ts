import type { IncomingHttpHeaders } from 'node:http';
import { ApportionError } from '#terms';
import type { Dialect, WireRequest } from '#wires';
import type { Accepted } from './accept.ts';
import type { CallDeps } from './call.ts';
import type { Caller } from './identify.ts';
import type { RoutedCall } from './routes.ts';
import { askingOf } from './expected.ts';
import { Itinerary } from './route/itinerary.ts';
import { routeTagText, type AskedTags } from './route/route-tags.ts';
import type { Asking, Planned } from './routing.ts';
import type { Tagged } from './tagging.ts';
import type { Upstreams } from './upstreams.ts';

export type Chosen = { readonly asked: WireRequest; readonly asking: Asking; readonly itinerary: Itinerary };

type Choosing = {
  readonly call: Accepted;
  readonly caller: Caller;
  readonly tagged: Tagged;
  readonly routed: RoutedCall;
  readonly headers: IncomingHttpHeaders;
};

/** For routes that name no model: which of several providers is meant. */
const PROVIDER_HEADER = 'x-apportion-provider';

const DIALECT_ROUTES: Readonly<Record<Dialect, string>> = {
  openai: "OpenAI's (POST /v1/chat/completions)",
  anthropic: "Anthropic's (POST /v1/messages)",
  bedrock: "Bedrock's (POST /model/{modelId}/converse)",
  cohere: "Cohere's (POST /v2/chat)",
  gemini: "Gemini's (POST /v1beta/models/{model}:generateContent)",
};

/** Finds the deployments a request can go to, in order. */
export function choose(deps: CallDeps, choosing: Choosing): Chosen {
  const { call, routed } = choosing;
  const asked = routed.route.wire.readRequest(call.body);
  const asking = askingOf(deps, { ...choosing, asked });
  if (asked.model === '') return { asked, asking, itinerary: passThroughTo(deps, choosing) };
  return { asked, asking, itinerary: wayOf(deps, choosing, { asking, planned: deps.routing.plan(asking) }) };
}

/** The way of a call that names a model. @throws ApportionError where its key may not call it, or no deployment is for it */
export function wayOf(
  deps: Pick<CallDeps, 'upstreams'>,
  { caller, routed }: Pick<Choosing, 'caller' | 'routed'>,
  { asking, planned }: { readonly asking: Asking; readonly planned: Planned },
): Itinerary {
  const { model } = asking;
  const { dialect, billing } = routed.route;
  const found = planned.misfit !== null || planned.considered.some(({ choice }) => choice !== undefined);
  if (planned.itinerary === null && !found) throw modelNotFound(model, { dialect, upstreams: deps.upstreams });
  if (caller.models.length > 0 && !caller.models.includes(model) && billing !== 'free') {
    throw new ApportionError('not_allowed', `This key may not call the model ${model}.`, {
      param: 'model',
      hint: `It may call ${caller.models.join(', ')}.`,
    });
  }
  if (planned.itinerary === null) throw noneTagged(model, planned);
  return planned.itinerary;
}

/** Tags only choose among what the key may call anyway: to name the deployments gives nothing away. */
function noneTagged(model: string, { asked, considered }: Planned): ApportionError {
  const known = considered.map(({ place: { deployment, tags } }) => {
    return `${deployment.id} (${tags.length === 0 ? 'no tags' : tags.join(', ')})`;
  });
  const texts = askedTexts(asked);
  const what = texts.length === 0 ? 'calls that ask for no tags' : `the tags ${texts.join(', ')}`;
  const there = known.length === 0 ? `${model} is no route, and has no tags.` : `There are ${known.join('; ')}.`;
  return new ApportionError('no_matching_deployment', `No deployment of ${model} is for ${what}.`, {
    param: 'tags',
    hint: `${there} Send other tags, or ask the operator for a deployment tagged "default".`,
  });
}

/** The tags a call asks for, as callers write them. */
export function askedTexts({ plain, required, excluded }: AskedTags): readonly string[] {
  return [
    ...plain.map(routeTagText),
    ...required.map((tag) => `&${routeTagText(tag)}`),
    ...excluded.map((tag) => `!${routeTagText(tag)}`),
  ];
}

function passThroughTo(deps: CallDeps, { caller, routed, headers }: Choosing): Itinerary {
  const { wire, dialect, billing } = routed.route;
  if (caller.models.length > 0 && billing === 'unpriced') {
    throw new ApportionError('not_allowed', 'This key may call certain models only, and this route can start any.', {
      hint: `It may call ${caller.models.join(', ')}.`,
    });
  }
  const named = headers[PROVIDER_HEADER];
  const choice = deps.upstreams.speaking(wire, typeof named === 'string' ? named : undefined);
  if (choice !== undefined) return Itinerary.to(choice);
  throw new ApportionError('model_not_found', `No configured provider takes this route in the ${dialect} format.`, {
    param: PROVIDER_HEADER,
    hint: `Configured providers: ${deps.upstreams.names().join(', ')}. ${PROVIDER_HEADER} names one of them.`,
  });
}

function modelNotFound(
  model: string,
  { dialect, upstreams }: { readonly dialect: Dialect; readonly upstreams: Upstreams },
): ApportionError {
  const providers = upstreams.names();
  const others = upstreams.dialectsOf(model).filter((one) => one !== dialect);
  if (others.length > 0) {
    return new ApportionError('model_not_found', `No configured provider serves ${model} in this format.`, {
      param: 'model',
      hint: `It is served in ${others.map((one) => DIALECT_ROUTES[one]).join(', ')}.`,
    });
  }
  return new ApportionError('model_not_found', `No configured provider serves the model ${model}.`, {
    param: 'model',
    hint:
      providers.length === 1 && providers[0] === 'sandbox'
        ? 'Only the sandbox is configured: call sandbox-mini, or set OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY and start again.'
        : `Configured providers: ${providers.join(', ')}. GET /v1/models lists their models; provider/model names one directly.`,
  });
}
