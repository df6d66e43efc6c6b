import { asFields, count, text } from './fields.ts';
import type { Effort, Reasoning } from './prompt.ts';
import { unsayable } from './refusal.ts';

/** Anthropic's `thinking`, which LiteLLM's callers put into OpenAI's requests too. @param effort said beside it */
export function readThinking(value: unknown, effort: Effort | null): Reasoning {
  const thinking = asFields(value, 'thinking');
  const shown = text(thinking, 'display', 'thinking') !== 'omitted';
  switch (thinking['type']) {
    case 'disabled':
      return { effort: 'none', budgetTokens: null, shown: null };
    case 'enabled':
      return { effort, budgetTokens: count(thinking, 'budget_tokens', 'thinking'), shown };
    case 'adaptive':
      return { effort, budgetTokens: null, shown };
    default:
      throw unsayable('thinking.type', `only Anthropic thinks in the way ${String(thinking['type'])}`);
  }
}
