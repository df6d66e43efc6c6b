import { anthropicMessages, geminiGenerate, openAiChat, openAiResponses, type Wire } from '#wires';
import { anthropicCaller, anthropicProvider } from './anthropic/index.ts';
import { geminiCaller, geminiProvider } from './gemini/index.ts';
import { openAiCaller, openAiProvider } from './openai/index.ts';
import { responsesCaller } from './responses/index.ts';
import type { CallerSide, ProviderSide } from './side.ts';

type Caller = { readonly side: CallerSide; readonly targets: readonly Wire[] };

/** Who asks, by the name of the wire, and what its calls can be put into. */
export const CALLERS: ReadonlyMap<string, Caller> = new Map([
  [openAiChat.name, { side: openAiCaller, targets: [anthropicMessages, geminiGenerate] }],
  [openAiResponses.name, { side: responsesCaller, targets: [openAiChat, anthropicMessages, geminiGenerate] }],
  [anthropicMessages.name, { side: anthropicCaller, targets: [openAiChat, geminiGenerate] }],
  [geminiGenerate.name, { side: geminiCaller, targets: [openAiChat, anthropicMessages] }],
]);

/** Who is asked, by the name of the wire, hosted or not. */
export const PROVIDERS: ReadonlyMap<string, ProviderSide> = new Map([
  [openAiChat.name, openAiProvider],
  [anthropicMessages.name, anthropicProvider],
  [geminiGenerate.name, geminiProvider],
]);
