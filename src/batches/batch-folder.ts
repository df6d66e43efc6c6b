import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TimestampMs } from '#std';
import type { AskedLine } from './asked-lines.ts';
import {
  parseAsked,
  parseRecord,
  parseRows,
  toAskedText,
  toRecordText,
  toRowsText,
  type BatchRecord,
  type LineRow,
} from './batch-record.ts';

/** A file or batch at a provider. */
type Named = { readonly provider: string; readonly id: string };

/**
 * The records in `data/batches`, each a file that is replaced whole: `inputs` (what uploaded files ask for), `open` (batches whose results are
 * not all in), `ended` (all in; what was held is yet to be given back) and `done`. What is written is on disk when a method resolves.
 */
export type BatchFolder = {
  saveInput(file: Named, lines: readonly AskedLine[]): Promise<void>;
  /** Null for a file that was not uploaded through us, or too long ago. */
  readInput(file: Named): Promise<readonly AskedLine[] | null>;
  hasInput(file: Named): boolean;
  dropInput(file: Named): Promise<void>;
  /** Inputs that no batch was made of for so long are files the provider has deleted too. */
  dropInputsBefore(time: TimestampMs): Promise<void>;
  create(record: BatchRecord, rows: readonly LineRow[]): Promise<void>;
  readOpen(): Promise<readonly BatchRecord[]>;
  readRows(record: BatchRecord): Promise<ReadonlyMap<string, LineRow>>;
  /** Every line has its entry. */
  end(record: BatchRecord): Promise<void>;
  readEnded(): Promise<readonly BatchRecord[]>;
  /** What was held is given back: nothing but the batch's name is kept, so that its results are never metered again. */
  finish(record: BatchRecord): Promise<void>;
  /**
   * Removes what uploaded files said of tags where it holds a value that is erased; a batch that is made of one later has no tags per line, and no
   * bound. Batches that are unfinished and hold it keep it until they end. @param holds whether a text holds the value
   */
  forget(
    holds: (text: string) => boolean,
  ): Promise<{ readonly rows: number; readonly stillNamedBy: readonly string[] }>;
};

const FOLDERS = ['inputs', 'open', 'ended', 'done'] as const;

export function openBatchFolder(dataDir: string): BatchFolder {
  const root = join(dataDir, 'batches');
  for (const name of FOLDERS) mkdirSync(join(root, name), { recursive: true, mode: 0o700 });
  const pathOf = (folder: (typeof FOLDERS)[number], { provider, id }: Named, suffix: string): string =>
    join(root, folder, `${nameOf(provider, id)}${suffix}`);
  const named = ({ provider, batch }: BatchRecord): Named => ({ provider, id: batch });
  const records = async (folder: 'open' | 'ended'): Promise<BatchRecord[]> => {
    // Nothing is there most of the time: without waiting for the thread pool that is known at once.
    const names = readdirSync(join(root, folder)).filter((name) => name.endsWith('.json'));
    const texts = await Promise.all(names.map((name) => readIfThere(join(root, folder, name))));
    return texts.flatMap((text) => (text === null ? [] : [parseRecord(text)]));
  };
  return {
    saveInput: (file, lines) => writeDurably(pathOf('inputs', file, '.jsonl'), toAskedText(lines)),
    readInput: async (file) => {
      const text = await readIfThere(pathOf('inputs', file, '.jsonl'));
      return text === null ? null : parseAsked(text);
    },
    hasInput: (file) => existsSync(pathOf('inputs', file, '.jsonl')),
    dropInput: (file) => rm(pathOf('inputs', file, '.jsonl'), { force: true }),
    dropInputsBefore: (time) => dropOlder(join(root, 'inputs'), time),
    create: async (record, rows) => {
      // The record last: without it the rows are nothing.
      await writeDurably(pathOf('open', named(record), '.lines'), toRowsText(rows));
      await writeDurably(pathOf('open', named(record), '.json'), toRecordText(record));
    },
    readOpen: () => records('open'),
    readRows: async (record) => parseRows((await readIfThere(pathOf('open', named(record), '.lines'))) ?? ''),
    end: async (record) => {
      await rename(pathOf('open', named(record), '.json'), pathOf('ended', named(record), '.json'));
      await syncFolder(join(root, 'ended'));
      await syncFolder(join(root, 'open'));
      await rm(pathOf('open', named(record), '.lines'), { force: true });
    },
    readEnded: () => records('ended'),
    finish: async (record) => {
      const { batch, provider, callId } = record;
      await writeDurably(pathOf('done', named(record), '.json'), JSON.stringify({ batch, provider, call_id: callId }));
      await rm(pathOf('ended', named(record), '.json'), { force: true });
    },
    forget: async (holds) => {
      const stillNamedBy: string[] = [];
      for (const record of [...(await records('open')), ...(await records('ended'))]) {
        const lines = (await readIfThere(pathOf('open', named(record), '.lines'))) ?? '';
        if (holdsSomewhere(`${toRecordText(record)}\n${lines}`, holds)) stillNamedBy.push(`batch ${record.batch}`);
      }
      return { rows: await forgetInputs(join(root, 'inputs'), holds), stillNamedBy };
    },
  };
}

async function forgetInputs(folder: string, holds: (text: string) => boolean): Promise<number> {
  let forgotten = 0;
  for (const name of await readdir(folder)) {
    const text = await readIfThere(join(folder, name));
    const said = parseAsked(text ?? '').flatMap(({ fields }) => (fields === null ? [] : Object.values(fields)));
    if (!holdsSomewhere([...new Set(said)].join('\n'), holds)) continue;
    await rm(join(folder, name), { force: true });
    forgotten += 1;
  }
  return forgotten;
}

/** What a caller wrote need not be JSON all through; then it is a text like any other. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

/** @param lines of JSON: whatever text is in them, keys included */
function holdsSomewhere(lines: string, holds: (text: string) => boolean): boolean {
  const seen = (value: unknown): boolean => {
    if (typeof value === 'string') return holds(value);
    if (Array.isArray(value)) return value.some(seen);
    if (typeof value !== 'object' || value === null) return false;
    return Object.entries(value).some(([key, inside]) => holds(key) || seen(inside));
  };
  return lines.split('\n').some((line) => line !== '' && (holds(line) || seen(parsed(line))));
}

/** Ids of providers are any text; a file's name is not. */
function nameOf(provider: string, id: string): string {
  return createHash('sha256').update(`${provider}\n${id}`).digest('hex').slice(0, 40);
}

async function dropOlder(folder: string, time: TimestampMs): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if ((await stat(path)).mtimeMs < time) await rm(path, { force: true });
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Replaces a file whole: after a crash at any moment there is the old text or the new one, and once resolved, the new one. */
async function writeDurably(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`;
  const file = await open(fresh, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
  await syncFolder(dirname(path));
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
