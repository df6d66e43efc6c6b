import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { damaged } from './damage.ts';
import { syncDirectory } from './disk.ts';
import type { SealedSegment } from './sealed-segment.ts';
import { compressedPath, segmentPath } from './segment.ts';

/**
 * What is left of segments that were removed when their retention was over: a line each in `retired.jsonl`, on disk before the file goes.
 * It tells a journal that was shortened on purpose from one that lost files.
 */
export type RetiredSegment = z.infer<typeof retiredSchema>;

const retiredSchema = z.object({
  segment: z.int().min(1),
  first_seq: z.int().min(1),
  last_seq: z.int().min(0),
  /** Pico-dollars; entries of unknown cost add nothing. */
  cost: z.string(),
  plain_bytes: z.int(),
  plain_crc: z.int(),
  sealed_at: z.string(),
  retired_at: z.string(),
});

const NAME = 'retired.jsonl';

/** Oldest first. A last line that a crash cut short is left out: its file is still there. */
export function readRetired(dir: string): RetiredSegment[] {
  const { lines } = wholeLines(dir);
  return lines.map((line) => {
    const parsed = retiredSchema.safeParse(JSON.parse(line));
    if (parsed.success) return parsed.data;
    throw damaged(join(dir, NAME), 'a line of it cannot be read');
  });
}

/** The last entry that is no longer in the journal on purpose; 0 for none. */
export function retiredThrough(dir: string): number {
  return readRetired(dir).at(-1)?.last_seq ?? 0;
}

/** Writes down what goes, then removes it. Only ever the oldest; done again after a crash it removes what is left. */
export function retireSegment(
  dir: string,
  { segment, header, lastSeq, end, sealedAt }: SealedSegment,
  { cost, retiredAt }: { readonly cost: string; readonly retiredAt: string },
): void {
  const known = readRetired(dir).at(-1)?.segment ?? 0;
  if (known < segment) {
    append(dir, {
      segment,
      first_seq: header.first_seq,
      last_seq: lastSeq,
      cost,
      plain_bytes: end.bytes,
      plain_crc: end.crc,
      sealed_at: sealedAt,
      retired_at: retiredAt,
    });
  }
  rmSync(segmentPath(dir, segment), { force: true });
  rmSync(compressedPath(dir, segment), { force: true });
  syncDirectory(dir);
}

function append(dir: string, retired: RetiredSegment): void {
  const path = join(dir, NAME);
  const { bytes } = wholeLines(dir);
  const fd = openSync(path, 'a', 0o600);
  try {
    truncateSync(path, bytes);
    writeSync(fd, `${JSON.stringify(retired)}\n`);
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
  syncDirectory(dir);
}

function wholeLines(dir: string): { readonly lines: string[]; readonly bytes: number } {
  const text = readIfThere(join(dir, NAME));
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return { lines: whole.split('\n').slice(0, -1), bytes: Buffer.byteLength(whole) };
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}
