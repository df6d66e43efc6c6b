/**
 * What the sandbox answers: text that follows from the request alone, and usage in the proportions real models show.
 * The same request always gets the same text and the same usage.
 */
export type SandboxRequest = {
  readonly model: string;
  readonly messages: readonly SandboxMessage[];
  readonly maxTokens: number | null;
  readonly choices: number;
  /** The setting that would bring a real model of this dialect. */
  readonly keySetting: string;
};

export type SandboxMessage = { readonly role: string; readonly text: string };

/** Disjoint but for `cached`, which is a part of `prompt`. Each dialect writes them in its own way. */
export type SandboxCounts = {
  readonly prompt: number;
  readonly cached: number;
  readonly text: number;
  readonly reasoning: number;
};

export type SandboxCompletion = {
  /** The answer in pieces of about one token. */
  readonly tokens: readonly string[];
  readonly finishReason: 'stop' | 'length';
  readonly counts: SandboxCounts;
};

const CHARS_PER_TOKEN = 4;
const TOKENS_PER_MESSAGE = 4;
/** Providers cache prompts from 1,024 tokens on, in steps of 128. */
const CACHE_FROM_TOKENS = 1_024;
const CACHE_STEP_TOKENS = 128;
const REASONING_TOKENS = 128;

export function completeInSandbox(request: SandboxRequest): SandboxCompletion {
  const prompt = countPrompt(request.messages);
  const cached = prompt >= CACHE_FROM_TOKENS ? Math.floor(prompt / 2 / CACHE_STEP_TOKENS) * CACHE_STEP_TOKENS : 0;
  const reasoning = request.model.includes('reasoner') ? REASONING_TOKENS : 0;
  const whole = answerTo(request).match(/\s*\S+/g) ?? [];
  const room = request.maxTokens === null ? whole.length : Math.max(0, request.maxTokens - reasoning);
  const tokens = whole.slice(0, room);
  return {
    tokens,
    finishReason: tokens.length < whole.length ? 'length' : 'stop',
    counts: { prompt, cached, text: tokens.length * request.choices, reasoning: reasoning * request.choices },
  };
}

export function countPrompt(messages: readonly SandboxMessage[]): number {
  return messages.reduce((sum, { text }) => sum + TOKENS_PER_MESSAGE + Math.ceil(text.length / CHARS_PER_TOKEN), 3);
}

/** A text that no message frames, such as one to embed. */
export function countText(text: string): number {
  return Math.max(1, Math.ceil(text.length / CHARS_PER_TOKEN));
}

function answerTo(request: SandboxRequest): string {
  const asked = request.messages.findLast((message) => message.role === 'user')?.text.trim() ?? '';
  const quoted = asked.length > 120 ? `${asked.slice(0, 117)}...` : asked;
  return [
    `This is ${request.model}, Apportion's built-in sandbox: no provider was called and nothing was really spent.`,
    quoted === '' ? 'You sent no user message.' : `You asked: "${quoted}"`,
    'The call was metered, priced and written to the ledger as a real one would be.',
    `Set ${request.keySetting} and start again to reach a real model.`,
  ].join(' ');
}
