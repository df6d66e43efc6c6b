import { asObject } from '../loose-json.ts';
import type { Count, Counter } from '../reading.ts';

/** Tokens by what they stand for; a modality the provider did not name is undefined. */
export type Modalities = {
  readonly text: Count;
  readonly audio: Count;
  readonly image: Count;
  readonly video: Count;
};

type Modality = keyof Modalities;

export type Split = { readonly text: number; readonly audio: number; readonly image: number; readonly video: number };

/** Google counts the pages of a document as images; what it does not specify is text (`MediaModality`). */
const MODALITY_OF: ReadonlyMap<unknown, Modality> = new Map<unknown, Modality>([
  ['AUDIO', 'audio'],
  ['IMAGE', 'image'],
  ['DOCUMENT', 'image'],
  ['VIDEO', 'video'],
]);

/** Reads `…TokensDetails`, a list of `{modality, tokenCount}`, whose entries may repeat a modality. */
export function readModalities(details: unknown, counter: Counter): Modalities {
  const sums: Record<Modality, Count> = { text: undefined, audio: undefined, image: undefined, video: undefined };
  const entries: unknown[] = Array.isArray(details) ? details : [];
  for (const detail of entries) {
    const entry = asObject(detail);
    const count = counter.count(entry?.['tokenCount']);
    if (entry === null || count === undefined) continue;
    const modality = MODALITY_OF.get(entry['modality']) ?? 'text';
    sums[modality] = (sums[modality] ?? 0) + count;
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
