import type { Usage } from '#terms';
import { writeUsage as writeChatUsage } from '../openai/usage.ts';

/** Usage in the words of Responses: the counts of a chat under other names. */
export function writeUsage(usage: Usage): Readonly<Record<string, unknown>> {
  const chat = writeChatUsage(usage);
  return {
    input_tokens: chat['prompt_tokens'],
    input_tokens_details: chat['prompt_tokens_details'],
    output_tokens: chat['completion_tokens'],
    output_tokens_details: chat['completion_tokens_details'],
    total_tokens: chat['total_tokens'],
  };
}
