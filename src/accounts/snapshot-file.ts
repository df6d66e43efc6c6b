import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { type TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { budgetRecordSchema, limitRecordSchema } from './budgets/rule-schema.ts';
import { type ControlSnapshot } from './key-record.ts';
import { PRICE_TERM_KINDS } from './price-term-record.ts';

/** 2: with teams. 3: with price terms. 4: with tokens in grace. 5: with budgets and limits. 6: with routes and addresses of keys. An older file is read as one without. */
const SNAPSHOT_SCHEMA = 6;

const timestamp = z.int().transform((ms) => ms as TimestampMs);

const snapshotSchema = z.object({
  schema: z.literal([1, 2, 3, 4, 5, SNAPSHOT_SCHEMA]),
  revision: z.int().nonnegative(),
  adminKeyHash: z.string().nullable(),
  keys: z.array(
    z.object({
      id: z.string(),
      hash: z.string(),
      previous: z.object({ hash: z.string(), until: timestamp }).nullable().default(null),
      name: z.string(),
      alias: z.string().nullable(),
      shown: z.string(),
      role: z.literal('call'),
      team: z.string(),
      owner: z.string(),
      models: z.array(z.string()),
      routes: z.array(z.string()).default([]),
      addresses: z.array(z.string()).default([]),
      metadata: z.record(z.string(), z.unknown()),
      expiresAt: timestamp.nullable(),
      blocked: z.boolean(),
      deletedAt: timestamp.nullable(),
      createdAt: timestamp,
      revision: z.int(),
    }),
  ),
  teams: z
    .array(
      z.object({
        id: z.string(),
        alias: z.string().nullable(),
        metadata: z.record(z.string(), z.unknown()),
        blocked: z.boolean(),
        createdAt: timestamp,
        deletedAt: timestamp.nullable(),
        revision: z.int(),
      }),
    )
    .default([]),
  priceTerms: z
    .array(
      z.object({
        id: z.string(),
        kind: z.enum(PRICE_TERM_KINDS),
        body: z.record(z.string(), z.unknown()),
        createdAt: timestamp,
        createdBy: z.string(),
        deletedAt: timestamp.nullable(),
        revision: z.int(),
      }),
    )
    .default([]),
  budgets: z.array(budgetRecordSchema).default([]),
  limits: z.array(limitRecordSchema).default([]),
});

/** Replaces the file whole and durably: a crash leaves the old one or the new one. One writer at a time. */
export async function writeSnapshot(file: string, snapshot: ControlSnapshot): Promise<void> {
  const draft = `${file}.tmp`;
  const handle = await open(draft, 'w', 0o600);
  try {
    await handle.writeFile(JSON.stringify({ schema: SNAPSHOT_SCHEMA, ...snapshot }));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
  const directory = await open(dirname(file));
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The last snapshot written, or null when there is none yet. A file that cannot be read as one is an error. */
export async function readSnapshot(file: string): Promise<ControlSnapshot | null> {
  const text = await readIfThere(file);
  if (text === null) return null;
  try {
    const { schema: _schema, ...snapshot } = snapshotSchema.parse(JSON.parse(text));
    return snapshot;
  } catch (cause) {
    throw new ApportionError('internal_error', `The control snapshot ${file} cannot be read.`, {
      cause,
      hint: 'Delete the file: the ledger process writes it again from control.db.',
    });
  }
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
