import {
  anthropicMessages,
  openAiChat,
  openAiCompletions,
  openAiEmbeddings,
  openAiImages,
  openAiModerations,
  openAiResponses,
  type Wire,
} from '#wires';

/** What the lines of a batch ask for: the operation as a call of its own would have it, and its format. */
export type LineKind = { readonly operation: string; readonly wire: Wire };

/** OpenAI's batches are of one endpoint each (Batch API guide, supported endpoints). */
export const OPENAI_LINES: ReadonlyMap<string, LineKind> = new Map([
  ['/v1/chat/completions', { operation: 'chat', wire: openAiChat }],
  ['/v1/completions', { operation: 'text_completion', wire: openAiCompletions }],
  ['/v1/embeddings', { operation: 'embeddings', wire: openAiEmbeddings }],
  ['/v1/responses', { operation: 'responses', wire: openAiResponses }],
  ['/v1/moderations', { operation: 'moderation', wire: openAiModerations }],
  ['/v1/images/generations', { operation: 'image_generation', wire: openAiImages }],
]);

export const ANTHROPIC_LINES: LineKind = { operation: 'chat', wire: anthropicMessages };
