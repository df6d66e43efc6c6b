import type { Signature } from './prompt.ts';

const BYS = ['gemini', 'openai', 'bedrock'] as const;

/**
 * A signature as clients keep it for us, in the field of Anthropic's thinking blocks: Anthropic's own as it is, another's
 * behind its name. Anthropic's are base64, which knows no dot.
 */
export function showSignature({ by, value }: Signature): string {
  return by === 'anthropic' ? value : `${by}.${value}`;
}

export function readSignature(shown: string): Signature {
  for (const by of BYS) if (shown.startsWith(`${by}.`)) return { by, value: shown.slice(by.length + 1) };
  return { by: 'anthropic', value: shown };
}
