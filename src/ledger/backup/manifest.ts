import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ApportionError } from '#terms';

/** What a backup holds, as `manifest.json` in it says. */
export type BackupManifest = z.infer<typeof manifestSchema>;

export type BackupFile = BackupManifest['files'][number];

export const MANIFEST = 'manifest.json';

/** Relative, with `/`, and never out of the folder it is put into. */
const safePath = z.string().regex(/^(?!\.{1,2}(?:\/|$))[^/\\\0]+(?:\/(?!\.{1,2}(?:\/|$))[^/\\\0]+)*$/);

const manifestSchema = z.object({
  format: z.literal(1),
  made_at: z.string(),
  node_id: z.string(),
  epoch: z.int().min(1),
  /** The first entry in it: more than 1 when retention removed earlier ones. */
  first_seq: z.int().min(1),
  /** The last entry in it. Every entry up to here is in it, and none after. */
  seq: z.int().min(0),
  /** `running`: everything acknowledged before `seq` was. `stopped`: everything the node ever had. */
  server: z.enum(['running', 'stopped']),
  /** The price book of the last entry; empty without one. */
  price_book: z.string(),
  /** What somebody who restores has to bring along. */
  not_included: z.array(z.string()),
  files: z.array(z.object({ path: safePath, bytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});

/** The text of the file: the manifest, and in its last line the hash of the lines before. */
export function manifestText(manifest: BackupManifest): string {
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  return `${text}${hashOf(text)}\n`;
}

/** @param place where it was found, for the message */
export function parseManifest(text: string, place: string): BackupManifest {
  const end = text.lastIndexOf('\n', text.length - 2) + 1;
  const json = text.slice(0, end);
  if (text.slice(end) !== `${hashOf(json)}\n`) throw spoiled(place, 'it was changed or cut short');
  const parsed = manifestSchema.safeParse(JSON.parse(json));
  if (parsed.success) return parsed.data;
  throw spoiled(place, 'it is of a format this version does not know');
}

/** The backup is not what was backed up, so nothing is taken from it. */
export function spoiled(place: string, what: string): ApportionError {
  return new ApportionError('journal_unavailable', `The backup cannot be used: ${place}: ${what}.`, {
    hint: 'Take another backup.',
  });
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
