import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import {
  generateText,
  jsonSchema,
  Output,
  stepCountIs,
  streamText,
  tool,
  type LanguageModel,
  type LanguageModelUsage,
  type ToolSet,
  type UserContent,
} from 'ai';
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

type Target = Parameters<Converse>[0];

/** Vercel's AI SDK, which asks by itself until no tool is called any more. */
function converseAs(modelAt: (target: Target, model: string) => LanguageModel): Converse {
  return async (target, wish) => {
    const asked = { ...settingsOf(wish), model: modelAt(target, wish.model), maxRetries: 0 };
    const { steps, text } = wish.stream ? await finished(asked) : await generateText(asked);
    return {
      text,
      calls: steps.flatMap(({ toolCalls }) => toolCalls.map((call) => ({ name: call.toolName, args: call.input }))),
      thought: null,
      usages: steps.map(({ response, usage }) => counted(response.id, usage)),
    };
  };
}

export const CONVERSE_AI = {
  openai: converseAs(({ url, key }, model) => createOpenAI({ baseURL: `${url}/v1`, apiKey: key }).chat(model)),
  responses: converseAs(({ url, key }, model) => createOpenAI({ baseURL: `${url}/v1`, apiKey: key }).responses(model)),
  anthropic: converseAs(({ url, key }, model) => createAnthropic({ baseURL: `${url}/v1`, apiKey: key })(model)),
  gemini: converseAs(({ url, key }, model) =>
    createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey: key })(model),
  ),
};

async function finished(asked: Parameters<typeof streamText>[0]) {
  let failed: unknown = null;
  const stream = streamText({
    ...asked,
    onError({ error }) {
      failed = error;
    },
  });
  await stream.consumeStream();
  if (failed !== null) throw failed instanceof Error ? failed : new Error('the stream failed', { cause: failed });
  return { steps: await stream.steps, text: await stream.text };
}

function settingsOf({ feature, text }: Wish) {
  const content: UserContent =
    feature === 'images'
      ? [
          { type: 'text', text },
          { type: 'image', image: PNG, mediaType: 'image/png' },
          { type: 'file', data: PDF, mediaType: 'application/pdf', filename: 'bill.pdf' },
        ]
      : text;
  return {
    system: SYSTEM,
    messages: [{ role: 'user' as const, content }],
    maxOutputTokens: LIMIT_TOKENS,
    stopWhen: stepCountIs(4),
    ...(usesTools(feature) ? { tools: tools() } : {}),
    ...(feature === 'schema' ? { output: Output.object({ schema: jsonSchema(SCHEMA) }) } : {}),
    providerOptions: reasons(feature) ? REASONING : UNSTORED,
  };
}

/** In Responses of OpenAI's dialect, earlier items are sent again only where they are not stored. */
const UNSTORED = { openai: { store: false } };

const REASONING = {
  openai: { reasoningEffort: 'low', reasoningSummary: 'auto', forceReasoning: true, store: false },
  anthropic: { thinking: { type: 'enabled', budgetTokens: 1024 } },
  google: { thinkingConfig: { thinkingBudget: 1024, includeThoughts: true } },
};

function tools(): ToolSet {
  return Object.fromEntries(
    TOOLS.map((name) => [
      name,
      tool({ description: `Does ${name}.`, inputSchema: jsonSchema(TOOL_SCHEMA), execute: async () => resultOf(name) }),
    ]),
  );
}

function counted(id: string, usage: LanguageModelUsage): Counted {
  return { id, input: usage.inputTokens ?? -1, output: usage.outputTokens ?? -1 };
}
