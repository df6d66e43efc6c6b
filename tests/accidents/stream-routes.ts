import type { Gateway } from '#world';

/** A route that streams, in one of the three dialects. */
export type StreamRoute = {
  readonly name: string;
  readonly provider: 'openai' | 'anthropic' | 'gemini';
  /** `provider` is the configured name the call goes to; `mode`: as a stream, or at once. */
  request(text: string, given: { readonly provider: string; readonly mode: Mode }): Sent;
};

export type Mode = 'stream' | 'whole';

export type Sent = { readonly path: string; readonly body: object };

const MOST_TOKENS = 300;

function openAi(path: string, model: string, prompt: (text: string) => object): StreamRoute['request'] {
  return (text, { provider, mode }) => ({
    path,
    body: { model: `${provider}/${model}`, ...prompt(text), ...(mode === 'stream' ? { stream: true } : {}) },
  });
}

const user = (content: string) => [{ role: 'user', content }];

function gemini(query: string): StreamRoute['request'] {
  return (text, { provider, mode }) => ({
    path: `/v1beta/models/${encodeURIComponent(`${provider}/gemini-2.5-flash`)}:${
      mode === 'stream' ? `streamGenerateContent${query}` : 'generateContent'
    }`,
    body: { contents: [{ parts: [{ text }] }], generationConfig: { maxOutputTokens: MOST_TOKENS } },
  });
}

/** Every route that streams text, in every framing it has. */
export const STREAM_ROUTES: readonly StreamRoute[] = [
  {
    name: 'chat',
    provider: 'openai',
    request: openAi('/v1/chat/completions', 'gpt-4o', (text) => ({
      messages: user(text),
      max_completion_tokens: MOST_TOKENS,
    })),
  },
  {
    name: 'completions',
    provider: 'openai',
    request: openAi('/v1/completions', 'gpt-3.5-turbo-instruct', (prompt) => ({ prompt, max_tokens: MOST_TOKENS })),
  },
  {
    name: 'responses',
    provider: 'openai',
    request: openAi('/v1/responses', 'gpt-4o', (input) => ({ input, max_output_tokens: MOST_TOKENS })),
  },
  {
    name: 'messages',
    provider: 'anthropic',
    request: openAi('/v1/messages', 'claude-haiku-4-5', (text) => ({ messages: user(text), max_tokens: MOST_TOKENS })),
  },
  { name: 'streamGenerateContent', provider: 'gemini', request: gemini('?alt=sse') },
  { name: 'streamGenerateContent as an array', provider: 'gemini', request: gemini('') },
];

function init(gateway: Gateway, { body }: Sent): RequestInit {
  const headers = { authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json' };
  return { method: 'POST', headers, body: JSON.stringify(body) };
}

export type Answered = {
  readonly status: number;
  readonly callId: string;
  readonly headers: Headers;
  readonly text: string;
};

/** The whole answer, however it ends. */
export async function ask(gateway: Gateway, sent: Sent): Promise<Answered> {
  const answer = await fetch(`${gateway.url}${sent.path}`, init(gateway, sent));
  const text = await answer.text().catch(() => '');
  const callId = answer.headers.get('x-apportion-call-id') ?? '';
  return { status: answer.status, callId, headers: answer.headers, text };
}

/** Reads an answer until `chunks` pieces of its text came, and goes away. Gives the call's id. */
export async function leaveAfter(gateway: Gateway, sent: Sent, chunks: number): Promise<string> {
  const leaving = new AbortController();
  const answer = await fetch(`${gateway.url}${sent.path}`, { ...init(gateway, sent), signal: leaving.signal });
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of answer.body ?? []) {
    text += decoder.decode(piece, { stream: true });
    if (saidIn(text) >= chunks) break;
  }
  leaving.abort();
  return answer.headers.get('x-apportion-call-id') ?? '';
}

const SAID = /"(?:content|delta)":"[^"]|"text":"(?:[^"\\]|\\.)+"(?!,"annotations")/g;

function saidIn(text: string): number {
  return text.match(SAID)?.length ?? 0;
}

/** Sends a call and goes away before anything came back. */
export async function leaveAtOnce(gateway: Gateway, sent: Sent, afterMs: number): Promise<void> {
  const signal = AbortSignal.timeout(afterMs);
  await fetch(`${gateway.url}${sent.path}`, { ...init(gateway, sent), signal }).catch(() => undefined);
}
