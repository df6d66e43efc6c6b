import type { Signature } from './prompt.ts';

const BYS = ['anthropic', 'gemini', 'openai', 'bedrock'] as const;

/**
 * A signature as clients keep it for us, in the field that `home` has for its own: those as they are, another's behind its
 * name. Base64, which signatures are written in, knows no dot.
 */
export function showSignature({ by, value }: Signature, home: Signature['by']): string {
  return by === home ? value : `${by}.${value}`;
}

export function readSignature(shown: string, home: Signature['by']): Signature {
  for (const by of BYS) if (shown.startsWith(`${by}.`)) return { by, value: shown.slice(by.length + 1) };
  return { by: home, value: shown };
}
