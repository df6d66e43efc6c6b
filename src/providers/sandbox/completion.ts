/**
 * What the sandbox answers: text that follows from the request alone, and usage in the proportions real models show.
 * The same request always gets the same text and the same usage.
 */
export type SandboxRequest = {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly text: string }[];
  readonly maxTokens: number | null;
  readonly choices: number;
};

export type SandboxUsage = {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number; readonly audio_tokens: number };
  readonly completion_tokens_details: { readonly reasoning_tokens: number; readonly audio_tokens: number };
};

export type SandboxCompletion = {
  /** The answer in pieces of about one token. */
  readonly tokens: readonly string[];
  readonly finishReason: 'stop' | 'length';
  readonly usage: SandboxUsage;
};

const CHARS_PER_TOKEN = 4;
const TOKENS_PER_MESSAGE = 4;
/** Providers cache prompts from 1,024 tokens on, in steps of 128. */
const CACHE_FROM_TOKENS = 1_024;
const CACHE_STEP_TOKENS = 128;
const REASONING_TOKENS = 128;

export function completeInSandbox(request: SandboxRequest): SandboxCompletion {
  const promptTokens = request.messages.reduce(
    (sum, message) => sum + TOKENS_PER_MESSAGE + Math.ceil(message.text.length / CHARS_PER_TOKEN),
    3,
  );
  const cachedTokens =
    promptTokens >= CACHE_FROM_TOKENS ? Math.floor(promptTokens / 2 / CACHE_STEP_TOKENS) * CACHE_STEP_TOKENS : 0;
  const reasoningTokens = request.model.includes('reasoner') ? REASONING_TOKENS : 0;
  const whole = answerTo(request).match(/\s*\S+/g) ?? [];
  const room = request.maxTokens === null ? whole.length : Math.max(0, request.maxTokens - reasoningTokens);
  const tokens = whole.slice(0, room);
  const completionTokens = (tokens.length + reasoningTokens) * request.choices;
  return {
    tokens,
    finishReason: tokens.length < whole.length ? 'length' : 'stop',
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
      prompt_tokens_details: { cached_tokens: cachedTokens, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: reasoningTokens * request.choices, audio_tokens: 0 },
    },
  };
}

function answerTo(request: SandboxRequest): string {
  const asked = request.messages.findLast((message) => message.role === 'user')?.text.trim() ?? '';
  const quoted = asked.length > 120 ? `${asked.slice(0, 117)}...` : asked;
  return [
    `This is ${request.model}, Apportion's built-in sandbox: no provider was called and nothing was really spent.`,
    quoted === '' ? 'You sent no user message.' : `You asked: "${quoted}"`,
    'The call was metered, priced and written to the ledger as a real one would be.',
    'Set OPENAI_API_KEY and start again to reach a real model.',
  ].join(' ');
}
