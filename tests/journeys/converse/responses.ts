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
  type Wish,
} from './asked.ts';

type Input = OpenAI.Responses.ResponseInputItem;
type Answered = OpenAI.Responses.Response;

/** OpenAI's own client with Responses that nobody stores: all items go back as they came, then the results. */
export const converseResponses: Converse = async (target, wish) => {
  const { openai } = makeClients(target);
  const input: Input[] = [{ role: 'user', content: contentOf(wish) }];
  const calls: { name: string; args: unknown }[] = [];
  const usages: Counted[] = [];
  let thought = '';
  for (;;) {
    const response = await ask(openai, { wish, input });
    usages.push(counted(response));
    const results: Input[] = [];
    for (const item of response.output) {
      if (item.type === 'reasoning') thought += item.summary.map(({ text }) => text).join('');
      if (item.type !== 'function_call') continue;
      calls.push({ name: item.name, args: JSON.parse(item.arguments) });
      results.push({ type: 'function_call_output', call_id: item.call_id, output: resultOf(item.name) });
    }
    if (results.length === 0) return { text: response.output_text, calls, thought, usages };
    // What a client's helper parsed beside it stays here.
    input.push(...(response.output.map(withoutParsed) as Input[]), ...results);
  }
};

async function ask(client: OpenAI, { wish, input }: { wish: Wish; input: Input[] }): Promise<Answered> {
  const { feature, model } = wish;
  const body: OpenAI.Responses.ResponseCreateParamsNonStreaming = {
    model,
    input,
    instructions: SYSTEM,
    max_output_tokens: LIMIT_TOKENS,
    store: false,
    ...(usesTools(feature) ? { tools: TOOLS.map(toolOf) } : {}),
    ...(feature === 'schema' ? { text: { format: FORMAT } } : {}),
    ...(reasons(feature) ? { reasoning: { effort: 'low', summary: 'auto' } } : {}),
  };
  if (!wish.stream) return client.responses.create(body);
  return client.responses.stream({ ...body, stream: true }).finalResponse();
}

const FORMAT = { type: 'json_schema' as const, name: 'costs', schema: SCHEMA, strict: true };

function toolOf(name: string): OpenAI.Responses.FunctionTool {
  return { type: 'function', name, description: `Does ${name}.`, parameters: TOOL_SCHEMA, strict: true };
}

function contentOf({ feature, text }: Wish): string | OpenAI.Responses.ResponseInputContent[] {
  if (feature !== 'images') return text;
  return [
    { type: 'input_text', text },
    { type: 'input_image', image_url: `data:image/png;base64,${PNG}`, detail: 'auto' },
    { type: 'input_file', filename: 'bill.pdf', file_data: `data:application/pdf;base64,${PDF}` },
  ];
}

function withoutParsed(item: object): object {
  return JSON.parse(
    JSON.stringify(item, (name, value: unknown) => (name.startsWith('parsed') ? undefined : value)),
  ) as object;
}

function counted({ id, usage }: Answered): Counted {
  return { id, input: usage?.input_tokens ?? -1, output: usage?.output_tokens ?? -1 };
}
