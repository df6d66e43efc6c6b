import { completeInSandbox, type SandboxCompletion, type SandboxMessage } from './completion.ts';
import {
  answerEvents,
  answerJson,
  asLimit,
  asObjects,
  asText,
  dataEvent,
  refuse,
  textOf,
  type JsonObject,
  type SandboxAnswer,
  type SandboxCall,
} from './exchange.ts';

const KEY_SETTING = 'OPENAI_API_KEY';

/** What the two routes call the same things. */
type Form = {
  readonly object: string;
  readonly chunkObject: string;
  readonly choice: (index: number, text: string, finish: string) => JsonObject;
  readonly delta: (index: number, text: string, finish: string | null) => JsonObject;
};

const CHAT: Form = {
  object: 'chat.completion',
  chunkObject: 'chat.completion.chunk',
  choice: (index, content, finish_reason) => ({
    index,
    message: { role: 'assistant', content, refusal: null },
    logprobs: null,
    finish_reason,
  }),
  delta: (index, content, finish_reason) => ({
    index,
    delta: finish_reason === null ? { content } : {},
    logprobs: null,
    finish_reason,
  }),
};

const TEXT: Form = {
  object: 'text_completion',
  chunkObject: 'text_completion',
  choice: (index, text, finish_reason) => ({ index, text, logprobs: null, finish_reason }),
  delta: (index, text, finish_reason) => ({ index, text, logprobs: null, finish_reason }),
};

export function answerChat(call: SandboxCall): SandboxAnswer {
  const { body } = call;
  if (body === null || asText(body['model']) === '' || !Array.isArray(body['messages']))
    return refuse("'messages' must be an array of messages with a role and content.");
  const messages = asObjects(body['messages']).map((message) => ({
    role: asText(message['role']),
    text: textOf(message['content']),
  }));
  return complete(call, {
    form: CHAT,
    prompts: [messages],
    limit: body['max_completion_tokens'] ?? body['max_tokens'],
  });
}

/** Legacy completions: each of several prompts is answered. */
export function answerCompletion(call: SandboxCall): SandboxAnswer {
  const { body } = call;
  const prompt = body?.['prompt'];
  const texts = typeof prompt === 'string' ? [prompt] : Array.isArray(prompt) ? prompt.map(String) : [];
  if (body === null || asText(body['model']) === '' || texts.length === 0)
    return refuse("'prompt' must be a text or texts.");
  const prompts = texts.map((text) => [{ role: 'user', text }]);
  return complete(call, { form: TEXT, prompts, limit: body['max_tokens'] });
}

type Asked = {
  readonly form: Form;
  readonly prompts: readonly (readonly SandboxMessage[])[];
  readonly limit: unknown;
};

function complete({ body, unique, createdS }: SandboxCall, { form, prompts, limit }: Asked): SandboxAnswer {
  const model = asText(body?.['model']);
  const choices = asLimit(body?.['n']) ?? 1;
  const completions = prompts.map((messages) =>
    completeInSandbox({ model, messages, maxTokens: asLimit(limit), choices, keySetting: KEY_SETTING }),
  );
  const head = {
    id: `${form === CHAT ? 'chatcmpl' : 'cmpl'}-sandbox-${unique}`,
    created: createdS,
    model,
    system_fingerprint: 'fp_sandbox',
    service_tier: 'default',
  };
  const answers = completions.flatMap((completion) => Array.from({ length: choices }, () => completion));
  const usage = usageOf(completions);
  if (body?.['stream'] === true) return answerEvents(streamOf(answers, { head, form, usage }));
  const written = answers.map((answer, index) => form.choice(index, answer.tokens.join(''), answer.finishReason));
  return answerJson({ ...head, object: form.object, choices: written, usage });
}

type Around = { readonly head: JsonObject; readonly form: Form; readonly usage: JsonObject };

function streamOf(answers: readonly SandboxCompletion[], { head, form, usage }: Around): string[] {
  const events: string[] = [];
  const send = (choices: readonly JsonObject[], counted: JsonObject | null): void => {
    events.push(dataEvent({ ...head, object: form.chunkObject, choices, usage: counted }));
  };
  for (const [index, { tokens, finishReason }] of answers.entries()) {
    if (form === CHAT)
      send([{ index, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null }], null);
    for (const token of tokens) send([form.delta(index, token, null)], null);
    send([form.delta(index, '', finishReason)], null);
  }
  send([], usage);
  events.push('data: [DONE]\n\n');
  return events;
}

/** OpenAI counts the cache inside the prompt, and reasoning inside the completion. */
function usageOf(completions: readonly SandboxCompletion[]): JsonObject {
  const sum = (count: (completion: SandboxCompletion) => number): number =>
    completions.reduce((total, completion) => total + count(completion), 0);
  const prompt = sum(({ counts }) => counts.prompt);
  const reasoning = sum(({ counts }) => counts.reasoning);
  const completion = sum(({ counts }) => counts.text) + reasoning;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: sum(({ counts }) => counts.cached), audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: reasoning, audio_tokens: 0 },
  };
}
