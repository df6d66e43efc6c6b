import type { Signature } from '../prompt.ts';
import { readSignature, showSignature } from '../signature.ts';

/** Marks reasoning of which only the proof is left; signatures are base64, and have no colon. */
const OPAQUE = 'opaque:';

/** What a reasoning item's `encrypted_content` keeps for us: a provider's signature, or reasoning that only it can read. */
export type Seal = { readonly signature: Signature; readonly opaque: boolean };

export function showSeal({ signature, opaque }: Seal): string {
  const { by, value } = signature;
  return showSignature({ by, value: opaque ? `${OPAQUE}${value}` : value }, 'openai');
}

export function readSeal(shown: string): Seal {
  const { by, value } = readSignature(shown, 'openai');
  if (!value.startsWith(OPAQUE)) return { signature: { by, value }, opaque: by === 'openai' };
  return { signature: { by, value: value.slice(OPAQUE.length) }, opaque: true };
}
