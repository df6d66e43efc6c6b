/** Tokens by what they stand for; a modality the provider did not name is undefined. */
export type Modalities = {
  readonly text: number | undefined;
  readonly audio: number | undefined;
  readonly image: number | undefined;
  readonly video: number | undefined;
};

type Modality = keyof Modalities;

type Split = { readonly text: number; readonly audio: number; readonly image: number; readonly video: number };

/** Google counts the pages of a document as images; what it does not specify is text (`MediaModality`). */
const MODALITY_OF: ReadonlyMap<unknown, Modality> = new Map<unknown, Modality>([
  ['AUDIO', 'audio'],
  ['IMAGE', 'image'],
  ['DOCUMENT', 'image'],
  ['VIDEO', 'video'],
]);

/** Reads `…TokensDetails`, a list of `{modality, tokenCount}`, whose entries may repeat a modality. */
export function readModalities(details: unknown): Modalities | 'absurd' {
  const sums: Record<Modality, number | undefined> = {
    text: undefined,
    audio: undefined,
    image: undefined,
    video: undefined,
  };
  if (!Array.isArray(details)) return sums;
  for (const entry of details as unknown[]) {
    if (typeof entry !== 'object' || entry === null) return 'absurd';
    const { modality: name, tokenCount = 0 } = entry as { modality?: unknown; tokenCount?: unknown };
    if (typeof tokenCount !== 'number' || !Number.isSafeInteger(tokenCount) || tokenCount < 0) return 'absurd';
    const modality = MODALITY_OF.get(name) ?? 'text';
    sums[modality] = (sums[modality] ?? 0) + tokenCount;
  }
  return sums;
}

/**
 * Splits a count by its details; the rest, which they do not name, is text. Details that add up to more than the count
 * are taken until it is spent, the dearest modality first, and said to be unsound.
 */
export function takeModalities(count: number, details: Modalities): { parts: Split; sound: boolean } {
  let left = count;
  const take = (modality: Modality): number => {
    const taken = Math.min(left, details[modality] ?? 0);
    left -= taken;
    return taken;
  };
  const parts = { audio: take('audio'), image: take('image'), video: take('video'), text: 0 };
  parts.text = left;
  const named = (details.text ?? 0) + (details.audio ?? 0) + (details.image ?? 0) + (details.video ?? 0);
  return { parts, sound: named <= count };
}
