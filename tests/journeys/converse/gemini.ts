import type { Content, GenerateContentParameters, GenerateContentResponse, GoogleGenAI, Part } from '@google/genai';
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

/** Google's own client: the model's content goes back as it came. */
export const converseGemini: Converse = async (target, wish) => {
  const { gemini } = makeClients(target);
  const contents: Content[] = [{ role: 'user', parts: partsOf(wish) }];
  const calls: { name: string; args: unknown }[] = [];
  const usages: Counted[] = [];
  let thought = '';
  for (;;) {
    const { parts, last } = await ask(gemini, { wish, contents });
    usages.push(counted(last));
    const results: Part[] = [];
    let text = '';
    for (const part of parts) {
      if (part.thought === true) thought += part.text ?? '';
      else text += part.text ?? '';
      const call = part.functionCall;
      if (call?.name === undefined) continue;
      calls.push({ name: call.name, args: call.args });
      const id = call.id === undefined ? {} : { id: call.id };
      results.push({ functionResponse: { ...id, name: call.name, response: { output: resultOf(call.name) } } });
    }
    if (results.length === 0) return { text, calls, thought, usages };
    contents.push({ role: 'model', parts }, { role: 'user', parts: results });
  }
};

type Asked = { readonly wish: Wish; readonly contents: Content[] };

type Answered = { readonly parts: Part[]; readonly last: GenerateContentResponse };

async function ask(client: GoogleGenAI, { wish, contents }: Asked): Promise<Answered> {
  const { feature, model } = wish;
  const body: GenerateContentParameters = {
    model,
    contents,
    config: {
      systemInstruction: SYSTEM,
      maxOutputTokens: LIMIT_TOKENS,
      ...(usesTools(feature)
        ? { tools: [{ functionDeclarations: TOOLS.map((name) => ({ name, parametersJsonSchema: TOOL_SCHEMA })) }] }
        : {}),
      ...(feature === 'schema' ? { responseMimeType: 'application/json', responseJsonSchema: SCHEMA } : {}),
      ...(reasons(feature) ? { thinkingConfig: { thinkingBudget: 1024, includeThoughts: true } } : {}),
    },
  };
  if (!wish.stream) {
    const last = await client.models.generateContent(body);
    return { parts: last.candidates?.[0]?.content?.parts ?? [], last };
  }
  const parts: Part[] = [];
  let last: GenerateContentResponse | undefined;
  for await (const chunk of await client.models.generateContentStream(body)) {
    parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
    last = chunk;
  }
  if (last === undefined) throw new Error('an empty stream');
  return { parts, last };
}

function partsOf({ feature, text }: Wish): Part[] {
  if (feature !== 'images') return [{ text }];
  return [
    { text },
    { inlineData: { mimeType: 'image/png', data: PNG } },
    { inlineData: { mimeType: 'application/pdf', data: PDF } },
  ];
}

function counted({ responseId = '', usageMetadata: usage }: GenerateContentResponse): Counted {
  const input = (usage?.promptTokenCount ?? -1) + (usage?.toolUsePromptTokenCount ?? 0);
  return { id: responseId, input, output: (usage?.candidatesTokenCount ?? 0) + (usage?.thoughtsTokenCount ?? 0) };
}
