import type OpenAI from 'openai';
import { makeClients } from '#world';
import {
  LIMIT_TOKENS,
  PDF,
  PNG,
  reasons,
  resultOf,
  SCHEMA,
  SYSTEM,
  TOOL_SCHEMA,
  TOOLS,
  usesTools,
  type Converse,
  type Counted,
  type Got,
  type Wish,
} from './asked.ts';

type Message = OpenAI.Chat.Completions.ChatCompletionMessageParam;
type Completion = OpenAI.Chat.Completions.ChatCompletion;

/** OpenAI's own client, as its pages show it: the message goes back as it came, then the results. */
export const converseOpenAi: Converse = async (target, wish) => {
  const { openai } = makeClients(target);
  const messages: Message[] = [
    { role: 'system', content: SYSTEM },
    { role: 'user', content: contentOf(wish) },
  ];
  const calls: { name: string; args: unknown }[] = [];
  const usages: Counted[] = [];
  let thought = '';
  for (;;) {
    const completion = await ask(openai, { wish, messages });
    const message = completion.choices[0]?.message;
    if (message === undefined) throw new Error('no choice');
    usages.push(counted(completion));
    thought += thoughtIn(message);
    const asked = message.tool_calls ?? [];
    if (asked.length === 0) return { text: message.content ?? '', calls, thought, usages } satisfies Got;
    messages.push(message);
    for (const call of asked) {
      if (call.type !== 'function') throw new Error('only functions were offered');
      calls.push({ name: call.function.name, args: JSON.parse(call.function.arguments) });
      messages.push({ role: 'tool', tool_call_id: call.id, content: resultOf(call.function.name) });
    }
  }
};

async function ask(client: OpenAI, { wish, messages }: { wish: Wish; messages: Message[] }): Promise<Completion> {
  const { feature, model } = wish;
  const body = {
    model,
    messages,
    max_completion_tokens: LIMIT_TOKENS,
    ...(usesTools(feature) ? { tools: TOOLS.map(toolOf) } : {}),
    ...(feature === 'schema' ? { response_format: FORMAT } : {}),
    ...(reasons(feature) ? { reasoning_effort: 'low' as const } : {}),
  };
  if (!wish.stream) return client.chat.completions.create(body);
  return client.chat.completions
    .stream({ ...body, stream: true, stream_options: { include_usage: true } })
    .finalChatCompletion();
}

const FORMAT = { type: 'json_schema' as const, json_schema: { name: 'costs', schema: SCHEMA, strict: true } };

function toolOf(name: string): OpenAI.Chat.Completions.ChatCompletionTool {
  return { type: 'function', function: { name, description: `Does ${name}.`, parameters: TOOL_SCHEMA } };
}

function contentOf({ feature, text }: Wish): string | OpenAI.Chat.Completions.ChatCompletionContentPart[] {
  if (feature !== 'images') return text;
  return [
    { type: 'text', text },
    { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
    { type: 'file', file: { filename: 'bill.pdf', file_data: `data:application/pdf;base64,${PDF}` } },
  ];
}

function counted({ id, usage }: Completion): Counted {
  return { id, input: usage?.prompt_tokens ?? -1, output: usage?.completion_tokens ?? -1 };
}

/** A field that is not OpenAI's own, and that half of the world has. */
function thoughtIn(message: object): string {
  return 'reasoning_content' in message && typeof message.reasoning_content === 'string'
    ? message.reasoning_content
    : '';
}
