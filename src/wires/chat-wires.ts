import { anthropicMessages } from './anthropic/index.ts';
import { bedrockConverse } from './bedrock/index.ts';
import { cohereChat } from './cohere/index.ts';
import { geminiGenerate } from './gemini/index.ts';
import { openAiChat } from './openai/index.ts';
import type { Dialect, Wire } from './wire.ts';

/** The wire of a conversation in each dialect. */
export const CHAT_WIRES: Readonly<Record<Dialect, Wire>> = {
  openai: openAiChat,
  anthropic: anthropicMessages,
  gemini: geminiGenerate,
  bedrock: bedrockConverse,
  cohere: cohereChat,
};
