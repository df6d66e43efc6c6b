import { z } from 'zod';
import type { TimestampMs } from '#std';
import { ApportionError, usdNumber } from '#terms';
import { parseRequest } from '../parse-request.ts';
import { quote, type QuoteDeps } from './quote.ts';
import type { QuotedUsage, QuoteRequest } from './quote-request.ts';

const fields = z.strictObject({
  model: z.string().trim().min(1).nullish(),
  messages: z.array(z.unknown()).min(1).nullish(),
  completion_response: z.looseObject({}).nullish(),
});

const HINT = 'Send {"model", "messages"} for what a prompt costs, or {"completion_response"} for what an answer cost.';

/** LiteLLM's `POST /spend/calculate`: messages are priced without output, an answer by its usage. Nothing is recorded. */
export async function calculateSpend(deps: QuoteDeps, body: unknown, now: TimestampMs): Promise<{ cost: number }> {
  const request = readRequest(body, now);
  const { rated, priced } = await quote(deps, request);
  // A client that is told 0 believes it.
  if (rated.cost === null || rated.state === 'incomplete') {
    const meters = rated.unpricedMeters.join(', ');
    throw new ApportionError(
      'invalid_field',
      `${priced.model} has no price here${meters === '' ? '' : ` for ${meters}`}.`,
      {
        param: 'model',
        hint: 'GET /v1/prices lists what is priced; POST /v1/prices adds a price.',
      },
    );
  }
  return { cost: usdNumber(rated.cost) };
}

function readRequest(body: unknown, now: TimestampMs): QuoteRequest {
  const given = parseRequest(body ?? {}, { schema: fields, hint: HINT });
  const common = { provider: undefined, at: now, region: undefined, payer: NOBODY, pricing: undefined };
  const { completion_response: completed, messages } = given;
  if (completed !== undefined && completed !== null) {
    const { model, quoted } = readAnswer(completed);
    return { ...common, model: given.model ?? model, quoted };
  }
  if (messages === undefined || messages === null) throw missing('messages', 'there is nothing to price');
  if (given.model === undefined || given.model === null) throw missing('model', 'messages need the model they are for');
  return { ...common, model: given.model, quoted: { kind: 'messages', body: { model: given.model, messages } } };
}

const NOBODY = { key: '', team: '', tags: {} };

/** LiteLLM's clients pass on whatever answer they got; each dialect is known by how its answers name themselves. */
function readAnswer(completed: Readonly<Record<string, unknown>>): { model: string; quoted: QuotedUsage } {
  const { model, modelVersion: version } = completed;
  const named = [model, version].find((name) => typeof name === 'string');
  // The whole answer: tools it used stand outside its usage, and are billed too.
  const quoted: QuotedUsage = {
    kind: 'stated',
    wire: wireOf(completed),
    usage: completed,
    events: undefined,
    context: {},
  };
  return { model: typeof named === 'string' ? named : '', quoted };
}

function wireOf(completed: Readonly<Record<string, unknown>>): string {
  if ('usageMetadata' in completed) return 'gemini.generateContent';
  if (completed['type'] === 'message') return 'anthropic.messages';
  const { object, usage } = completed;
  const counts = typeof usage === 'object' && usage !== null ? usage : {};
  if (object === 'response' || ('input_tokens' in counts && !('prompt_tokens' in counts))) return 'openai.responses';
  return 'openai.chat';
}

function missing(param: string, why: string): ApportionError {
  return new ApportionError('invalid_field', `${param}: ${why}.`, { param, hint: HINT });
}
