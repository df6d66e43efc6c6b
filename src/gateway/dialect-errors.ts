import { toOpenAiError, type ApportionError } from '#terms';
import {
  anthropicErrorEvent,
  bedrockErrorEvent,
  cohereErrorEvent,
  geminiErrorEvent,
  toAnthropicError,
  toBedrockError,
  toCohereError,
  toGeminiError,
  type Dialect,
} from '#wires';

/** An error as each dialect's clients read it in an answer. */
export const ERROR_BODIES: Readonly<Record<Dialect, (error: ApportionError) => unknown>> = {
  openai: toOpenAiError,
  anthropic: toAnthropicError,
  gemini: toGeminiError,
  bedrock: toBedrockError,
  cohere: toCohereError,
};

/** The same in the middle of a stream, where there is no status any more. */
export const ERROR_EVENTS: Readonly<Record<Dialect, (error: ApportionError) => Buffer>> = {
  // OpenAI's clients raise an event with an `error`; the missing [DONE] tells the others.
  openai: (error) => Buffer.from(`data: ${JSON.stringify(toOpenAiError(error))}\n\n`),
  anthropic: anthropicErrorEvent,
  gemini: geminiErrorEvent,
  bedrock: bedrockErrorEvent,
  cohere: cohereErrorEvent,
};
