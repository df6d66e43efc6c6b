import {
  anthropicMessages,
  bedrockConverse,
  cohereChat,
  geminiGenerate,
  openAiChat,
  openAiResponses,
  type Wire,
} from '#wires';
import { anthropicCaller, anthropicProvider } from './anthropic/index.ts';
import { bedrockProvider } from './bedrock/index.ts';
import { cohereProvider } from './cohere/index.ts';
import { geminiCaller, geminiProvider } from './gemini/index.ts';
import { openAiCaller, openAiProvider } from './openai/index.ts';
import { responsesCaller } from './responses/index.ts';
import type { CallerSide, ProviderSide } from './side.ts';

type Caller = { readonly side: CallerSide; readonly targets: readonly Wire[] };

/** Who asks, by the name of the wire, and what its calls can be put into. */
export const CALLERS: ReadonlyMap<string, Caller> = new Map([
  [openAiChat.name, { side: openAiCaller, targets: [anthropicMessages, geminiGenerate, bedrockConverse, cohereChat] }],
  [
    openAiResponses.name,
    { side: responsesCaller, targets: [openAiChat, anthropicMessages, geminiGenerate, bedrockConverse, cohereChat] },
  ],
  [
    anthropicMessages.name,
    { side: anthropicCaller, targets: [openAiChat, geminiGenerate, bedrockConverse, cohereChat] },
  ],
  [geminiGenerate.name, { side: geminiCaller, targets: [openAiChat, anthropicMessages, bedrockConverse, cohereChat] }],
]);

/** Who is asked, by the name of the wire, hosted or not. */
export const PROVIDERS: ReadonlyMap<string, ProviderSide> = new Map([
  [openAiChat.name, openAiProvider],
  [anthropicMessages.name, anthropicProvider],
  [geminiGenerate.name, geminiProvider],
  [bedrockConverse.name, bedrockProvider],
  [cohereChat.name, cohereProvider],
]);
