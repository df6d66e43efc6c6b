import { isRefusal, wholeJson, type Operation } from '../dialect.ts';
import { seededRandom } from '../random.ts';
import { planPrompt } from '../token-plan.ts';
import { makeRequestId, readFields } from './refusals.ts';

const FIELDS = new Set([
  'messages',
  'model',
  'cache_control',
  'output_config',
  'speed',
  'system',
  'thinking',
  'tool_choice',
  'tools',
  'user_profile_id',
  'workspace_id',
]);

/** Free, and on no bill. */
export const countTokens: Operation = (received, stock) => {
  const asked = readFields(received, { known: FIELDS, stock });
  if (isRefusal(asked)) return asked;
  return {
    text: asked.text,
    answer: (behaviour) => ({
      charge: null,
      headers: { 'request-id': makeRequestId() },
      body: wholeJson({ input_tokens: planPrompt(received.body.length, behaviour, seededRandom(behaviour.seed)) }),
    }),
  };
};
