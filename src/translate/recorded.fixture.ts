import { readdirSync, readFileSync } from 'node:fs';
import { scanJsonObject } from '#std';
import {
  anthropicMessages,
  geminiGenerate,
  NO_QUIRKS,
  NO_TARGET,
  openAiChat,
  type AnswerContext,
  type Dialect,
  type RequestBody,
  type Wire,
} from '#wires';
import { targetsOf, translated } from './index.ts';

/** A request's body as the gateway reads it. */
export function bodyOf(fields: object, target = NO_TARGET): RequestBody {
  const bytes = Buffer.from(JSON.stringify(fields));
  const scan = scanJsonObject(bytes);
  if (!scan.ok) throw new Error('a request is an object');
  return { bytes, members: new Map(scan.members.map((member) => [member.key, member])), form: null, target };
}

/** The simplest streamed request of each dialect. */
const SIMPLE: Readonly<Partial<Record<Dialect, RequestBody>>> = {
  openai: bodyOf({
    model: 'm',
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: 'user', content: 'hello' }],
  }),
  anthropic: bodyOf({ model: 'm', stream: true, max_tokens: 9, messages: [{ role: 'user', content: 'hello' }] }),
  gemini: bodyOf(
    { contents: [{ role: 'user', parts: [{ text: 'hello' }] }] },
    { model: 'm', action: 'streamGenerateContent', query: 'alt=sse' },
  ),
};

export type Pair = { readonly name: string; readonly from: Wire; readonly to: Wire; readonly wire: Wire };

/** Every caller with every provider's dialect that its calls are put into. */
export const PAIRS: readonly Pair[] = [openAiChat, anthropicMessages, geminiGenerate].flatMap((from) =>
  targetsOf(from)
    .filter((to) => SIMPLE[to.dialect] !== undefined)
    .map((to) => ({
      name: `${from.dialect} → ${to.dialect}`,
      from,
      to,
      wire: translated(from, { target: to, spoken: to, model: 'm' }),
    })),
);

export function contextOf({ from, wire }: Pair, headers: AnswerContext['headers'] = {}): AnswerContext {
  const body = SIMPLE[from.dialect];
  if (body === undefined) throw new Error(`there is no request of ${from.dialect}`);
  return { request: wire.readRequest(body), quirks: NO_QUIRKS, headers };
}

export type Recorded = { readonly name: string; readonly bytes: Buffer };

/** Answers of a dialect as providers gave them. */
export function answersOf(dialect: Dialect, ending: '.sse' | '.json'): readonly Recorded[] {
  const folder = new URL(`../wires/${dialect}/answers/`, import.meta.url);
  const isChat = dialect === 'openai' ? /^chat/ : /^(?!expected|count|embedding|text-array)/;
  return readdirSync(folder)
    .filter((name) => isChat.test(name) && name.endsWith(ending))
    .map((name) => ({ name, bytes: readFileSync(new URL(name, folder)) }));
}
