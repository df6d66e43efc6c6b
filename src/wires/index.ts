/**
 * Is: the wire formats: one folder per dialect, bytes to usage, requests in and out.
 * Owns: reading answers and streams, editing requests, estimates of missing usage. Not: a provider, a price, a tag or a key of ours.
 * Holds: every unit of usage lands in exactly one meter; bytes that need no change are forwarded as they came.
 * Fails: `invalid_field` for a request it cannot read; unknown or missing usage is null, never zero.
 */
export { anthropicCountTokens, anthropicMessages } from './anthropic/index.ts';
export { anthropicErrorEvent, anthropicErrorType, toAnthropicError } from './anthropic/error.ts';
export {
  bedrockConverse,
  bedrockErrorEvent,
  bedrockInvoke,
  claudeAtBedrock,
  EVENT_STREAM,
  FrameBuffer,
  isClaude,
  type Frame,
  toBedrockError,
  writeFrame,
} from './bedrock/index.ts';
export { cohereChat, cohereEmbed, cohereErrorEvent, cohereRerank, toCohereError } from './cohere/index.ts';
export { createEstimator, type Estimator } from './estimate/index.ts';
export { EventBuffer, readEventPayload } from './events.ts';
export {
  geminiCountTokens,
  geminiEmbed,
  geminiErrorEvent,
  geminiGenerate,
  geminiStatusName,
  toGeminiError,
} from './gemini/index.ts';
export {
  openAiChat,
  openAiCompletions,
  openAiEmbeddings,
  openAiImages,
  openAiModerations,
  openAiResponses,
  openAiSpeech,
  openAiTranscription,
} from './openai/index.ts';
export { CHAT_WIRES } from './chat-wires.ts';
export { openAiRealtime, passReceipt, passThrough } from './pass-through/index.ts';
export { readUsage, USAGE_READERS, type StatedUsage } from './usage-readers.ts';
export {
  dialectOf,
  DIALECTS,
  NO_FACTS,
  NO_QUIRKS,
  NO_TARGET,
  type AnswerContext,
  type AnswerFacts,
  type ClosingCost,
  type Dialect,
  type FarSide,
  type FarWords,
  type GivenAnswer,
  type OutputLimit,
  type Quirks,
  type RequestBody,
  type RequestEdit,
  type RequestTarget,
  type StreamMeter,
  type UpstreamPlace,
  type UsageContext,
  type UsageObject,
  type UsageReader,
  type Wire,
  type WireRequest,
} from './wire.ts';
export { claudeAtVertex, claudeCountAtVertex, geminiAtVertex, geminiCountAtVertex } from './vertex/index.ts';
export { readFormText, scanMultipart, type FormField, type MultipartForm } from './multipart.ts';
