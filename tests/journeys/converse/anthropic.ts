import type Anthropic from '@anthropic-ai/sdk';
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
  type Wish,
} from './asked.ts';

/** Anthropic's own client: content goes back as it came, thoughts included. */
export const converseAnthropic: Converse = async (target, wish) => {
  const { anthropic } = makeClients(target);
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: contentOf(wish) }];
  const calls: { name: string; args: unknown }[] = [];
  const usages: Counted[] = [];
  let thought = '';
  for (;;) {
    const message = await ask(anthropic, { wish, messages });
    usages.push(counted(message));
    const results: Anthropic.ToolResultBlockParam[] = [];
    let text = '';
    for (const block of message.content) {
      if (block.type === 'text') text += block.text;
      if (block.type === 'thinking') thought += block.thinking;
      if (block.type !== 'tool_use') continue;
      calls.push({ name: block.name, args: block.input });
      results.push({ type: 'tool_result', tool_use_id: block.id, content: resultOf(block.name) });
    }
    if (results.length === 0) return { text, calls, thought, usages };
    messages.push({ role: 'assistant', content: message.content }, { role: 'user', content: results });
  }
};

type Asked = { readonly wish: Wish; readonly messages: Anthropic.MessageParam[] };

async function ask(client: Anthropic, { wish, messages }: Asked): Promise<Anthropic.Message> {
  const { feature, model } = wish;
  const body: Anthropic.MessageCreateParamsNonStreaming = {
    model,
    messages,
    system: SYSTEM,
    max_tokens: LIMIT_TOKENS,
    ...(usesTools(feature) ? { tools: TOOLS.map(toolOf) } : {}),
    ...(feature === 'schema' ? { output_config: { format: { type: 'json_schema', schema: SCHEMA } } } : {}),
    ...(reasons(feature) ? { thinking: { type: 'enabled', budget_tokens: 1024 } } : {}),
  };
  return wish.stream ? client.messages.stream(body).finalMessage() : client.messages.create(body);
}

function toolOf(name: string): Anthropic.Tool {
  return { name, description: `Does ${name}.`, input_schema: TOOL_SCHEMA };
}

function contentOf({ feature, text }: Wish): Anthropic.MessageParam['content'] {
  if (feature !== 'images') return text;
  return [
    { type: 'text', text },
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
    { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: PDF }, title: 'bill.pdf' },
  ];
}

function counted({ id, usage }: Anthropic.Message): Counted {
  const cache = (usage.cache_creation_input_tokens ?? 0) + (usage.cache_read_input_tokens ?? 0);
  return { id, input: usage.input_tokens + cache, output: usage.output_tokens };
}
