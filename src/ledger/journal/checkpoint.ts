import { existsSync, readFileSync, writeSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { PROVENANCES } from '#terms';
import type { BookRows, GaugeRow } from '#budgets';
import { createDurably, syncDirectory } from './disk.ts';

/**
 * The counters as they were behind one entry, saved beside the segments: what comes after that entry is counted again at open.
 * It saves reading the whole journal, and holds what retention has removed; without it the journal is read.
 */
export type Checkpoint = {
  readonly nodeId: string;
  /** Another epoch may have had other entries under the same numbers. */
  readonly epoch: number;
  /** The last entry that is counted. */
  readonly seq: number;
  readonly rows: BookRows;
  readonly gauges: readonly GaugeRow[];
};

const CHECKPOINT_NAME = 'counters.json';

const FORMAT = 1;

const text = z.string();
const pico = z.string().regex(/^-?\d+$/);
const place = z.object({ series: text, instance: z.array(text), start: z.int() });

const checkpointSchema = z.object({
  format: z.literal(FORMAT),
  nodeId: text,
  epoch: z.int(),
  seq: z.int(),
  rows: z.object({
    series: z.array(text),
    cells: z.array(place.extend({ spent: pico, overrun: pico, unpriced: z.int() })),
    holds: z.array(
      z.object({
        id: text,
        state: z.enum(['running', 'in_doubt']),
        at: z.int(),
        most: pico.nullable(),
        likely: pico.nullable(),
        call: z.object({
          key: text,
          team: text,
          owner: text,
          model: text,
          provider: text,
          route: text,
          dimensions: z.array(z.tuple([text, text, z.enum(PROVENANCES)])),
          labels: z.array(text),
          paths: z.array(text),
        }),
        cells: z.array(place),
      }),
    ),
  }),
  gauges: z.array(z.object({ key: text, taken: pico, since: z.int(), until: z.int() })),
});

/** The file's text: a checksum, and the checkpoint as JSON. */
export function checkpointText(checkpoint: Checkpoint): string {
  const json = JSON.stringify({ format: FORMAT, ...checkpoint });
  return `${crc32(json)}\n${json}\n`;
}

/** Replaces the file whole. Everything it counts must be synced: after a power cut it must not know of entries that are gone. */
export function writeCheckpoint(dir: string, whole: string): void {
  createDurably(join(dir, CHECKPOINT_NAME), (fd) => void writeSync(fd, whole));
}

/** The same beside the work of the thread. */
export async function writeCheckpointBeside(dir: string, whole: string): Promise<void> {
  const path = join(dir, CHECKPOINT_NAME);
  const file = await open(`${path}.tmp`, 'w', 0o600);
  try {
    await file.writeFile(whole);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(`${path}.tmp`, path);
  syncDirectory(dir);
}

/** Null where there is none of this node and epoch, or none that can be read: then the journal itself is. */
export function readCheckpoint(
  dir: string,
  of: { readonly nodeId: string; readonly epoch: number },
): Checkpoint | null {
  const path = join(dir, CHECKPOINT_NAME);
  const [sum = '', json = ''] = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  if (json === '' || String(crc32(json)) !== sum) return null;
  const { success, data } = checkpointSchema.safeParse(JSON.parse(json));
  return success && data.nodeId === of.nodeId && data.epoch === of.epoch ? data : null;
}
