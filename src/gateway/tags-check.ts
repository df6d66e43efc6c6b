import { ApportionError, toOpenAiError } from '#terms';
import { accept } from './accept.ts';
import type { CallDeps, Exchange } from './call.ts';
import { identify } from './identify.ts';
import { OUR_FIELDS } from './our-fields.ts';

/**
 * `POST /v1/tags/check`: what a request would resolve to, and why, without calling or counting anything. The request is
 * the one the caller would send, with its headers and its key. A request that would be refused is told so in the answer:
 * the check itself succeeded.
 */
export async function checkTags(deps: CallDeps, exchange: Exchange): Promise<unknown> {
  const { headersDistinct } = exchange.request;
  const caller = identify(deps, { request: exchange.request, dialect: 'openai' });
  const { body } = await accept(deps, exchange.request);
  try {
    const { explanation, declared } = deps.tagging.explain({ body, headers: headersDistinct, caller });
    return {
      ok: true,
      ...explanation,
      proven: { 'key.id': caller.id, 'key.team': caller.team || null, 'key.owner': caller.owner || null },
      forwarded: {
        dropped_fields: [...body.members.keys()].filter((name) => OUR_FIELDS.has(name)),
        metadata: declared.forwardMetadata.action,
      },
      error: null,
    };
  } catch (error) {
    if (!(error instanceof ApportionError)) throw error;
    return { ok: false, ...toOpenAiError(error) };
  }
}
