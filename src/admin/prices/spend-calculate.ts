import { z } from 'zod';
import type { TimestampMs } from '#std';
import { ApportionError, usdNumber } from '#terms';
import { parseRequest } from '../parse-request.ts';
import { quote, type QuoteDeps } from './quote.ts';
import type { QuotedUsage, QuoteRequest } from './quote-request.ts';

const answer = z.looseObject({ model: z.string().optional(), usage: z.unknown(), service_tier: z.string().nullish() });

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
    const missing = rated.unpricedMeters.join(', ');
    throw new ApportionError(
      'invalid_field',
      `${priced.model} has no price here${missing === '' ? '' : ` for ${missing}`}.`,
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

/** LiteLLM's clients pass on whatever answer they got; each dialect is known by the name of its counts. */
function readAnswer(completed: Readonly<Record<string, unknown>>): { model: string; quoted: QuotedUsage } {
  const gemini = completed['usageMetadata'];
  if (gemini !== undefined) {
    const model = typeof completed['modelVersion'] === 'string' ? completed['modelVersion'] : '';
    return { model, quoted: stated('gemini.generateContent', gemini, {}) };
  }
  const read = answer.safeParse(completed);
  const usage = read.data?.usage;
  if (read.data === undefined || typeof usage !== 'object' || usage === null) {
    throw missing('completion_response', 'it has no usage');
  }
  const { model = '', service_tier: tier } = read.data;
  const context = typeof tier === 'string' ? { response_service_tier: tier } : {};
  return { model, quoted: stated(wireOf(completed, usage), usage, context) };
}

function wireOf(completed: Readonly<Record<string, unknown>>, usage: object): string {
  if (completed['object'] === 'response') return 'openai.responses';
  if (completed['type'] === 'message') return 'anthropic.messages';
  return 'input_tokens' in usage && !('prompt_tokens' in usage) ? 'openai.responses' : 'openai.chat';
}

function stated(wire: string, usage: unknown, context: Readonly<Record<string, unknown>>): QuotedUsage {
  return { kind: 'stated', wire, usage, events: undefined, context };
}

function missing(param: string, why: string): ApportionError {
  return new ApportionError('invalid_field', `${param}: ${why}.`, { param, hint: HINT });
}
