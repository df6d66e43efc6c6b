import type { Round } from './load.ts';

/** Something that takes chat calls: the upstream itself, the relay, the gateway or a peer. */
export type Target = {
  readonly name: string;
  /** Without `/v1`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A peer may refuse fields it does not know. */
  readonly tagged: boolean;
  /** Whose processor time and memory are its own; null where it is not asked. */
  readonly pid: number | null;
};

const SYSTEM =
  'You are the assistant of an accounting department. Answer in one paragraph, with figures where there are some. ';
const QUESTION = 'Which team spent the most on language models last month, and what changed against the month before? ';
const TAGS = {
  entity_type: 'customer',
  entity_id: 'acme-corp',
  session_id: 'session-1',
  tags: { feature: 'chatbot', env: 'production', team: 'support', version: '2.1.0' },
};

/** About 1 KB, the size of a short chat turn. */
export function callTo(target: Target, kind: 'json' | 'stream'): Pick<Round, 'url' | 'headers' | 'body'> {
  return {
    url: `${target.url}/v1/chat/completions`,
    headers: target.headers,
    body: JSON.stringify({
      model: 'gpt-4o-mini',
      messages: [
        { role: 'system', content: SYSTEM.repeat(3) },
        { role: 'user', content: QUESTION.repeat(4) },
      ],
      max_completion_tokens: 512,
      ...(kind === 'stream' ? { stream: true } : {}),
      ...(target.tagged ? TAGS : {}),
    }),
  };
}
