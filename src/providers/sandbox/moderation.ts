import { answerJson, asText, refuse, type SandboxAnswer, type SandboxCall } from './exchange.ts';

const CATEGORIES = [
  'harassment',
  'harassment/threatening',
  'hate',
  'hate/threatening',
  'illicit',
  'illicit/violent',
  'self-harm',
  'self-harm/instructions',
  'self-harm/intent',
  'sexual',
  'sexual/minors',
  'violence',
  'violence/graphic',
] as const;

/** Flags nothing: the sandbox reads no meaning. */
export function answerModerations({ body, unique }: SandboxCall): SandboxAnswer {
  const input = body?.['input'];
  if (typeof input !== 'string' && !Array.isArray(input)) return refuse("'input' must be a text or texts.");
  const inputs = typeof input === 'string' || input.some((item) => typeof item !== 'string') ? 1 : input.length;
  const each = <Value>(value: Value): Record<string, Value> =>
    Object.fromEntries(CATEGORIES.map((category) => [category, value]));
  return answerJson({
    id: `modr-sandbox-${unique}`,
    model: asText(body?.['model']) || 'sandbox-moderation',
    results: Array.from({ length: inputs }, () => ({
      flagged: false,
      categories: each(false),
      category_applied_input_types: each(['text']),
      category_scores: each(0),
    })),
  });
}
