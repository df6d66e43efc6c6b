// What the files of the journal cost those who wait for it: a new file, and compressing full ones. How much compression saves, and how fast
// it is. Calls come at a steady rate. Run: node bench/micro/journal-files.ts
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '#ledger';
import { readEntries } from '#ledger/read';
import { systemClock } from '#std';
import { measureDisk } from '../disk.ts';
import { quantile } from '../quantile.ts';
import { listSealed, readSealed } from '../../src/ledger/journal/sealed-segment.ts';
import { createSegmentKeeper } from '../../src/ledger/journal/segment-keeper.ts';

const RATE = 500;
const PACED_MS = 20_000;
/** About half a second of calls. */
const ROTATE_BYTES = 800_000;
/** Waits that began this long before or after a rotation count as around it. */
const AROUND_MS = 20;
const COMPRESSED_ENTRIES = 120_000;
const SEGMENT_ENTRIES = 40_000;
const AT_ONCE = 500;

/** An entry of the gateway; what is in capitals differs from one to the next. */
const SAMPLE =
  '{"schema":1,"salt":"SALT","call_id":"CALL","attempt":1,"effective_at":"2026-11-21T13:29:TIMEZ","cause":"first","operation":"chat","wire":"openai.chat","stream":0,"key_id":"key_KEY","key_name":"KEY","key_team":"core","key_owner":"","entity_type":"customer","entity_id":"CUSTOMER","session_id":"SESSION","session_path":"","trace_id":"","tags":{"customer":"CUSTOMER","feature":"FEATURE","env":"prod"},"tag_provenance":{"customer":"declared","feature":"declared","env":"declared"},"labels":[],"paths":[],"tag_conflicts":[],"tags_overflow":{},"tags_sent":["feature:FEATURE","env:prod"],"request_model":"MODEL","route":"","provider":"openai","price_as":"openai","region":"","model":"MODEL","reserved":"COST","entry_id":"CALL.1.attempt.0","kind":"attempt","counts_call":1,"posted_at":"2026-11-21T13:29:TIMEZ","status":"ok","http_status":200,"error_code":"","upstream_id":"UPSTREAM","response_model":"MODEL","service_tier":"default","latency_ms":COUNT,"first_byte_ms":COUNT,"meters":{"input":COUNT,"cache_read":COUNT,"output_text":COUNT},"usage_origin":"reported","usage_raw":"{\\"prompt_tokens\\":COUNT,\\"completion_tokens\\":COUNT,\\"total_tokens\\":COUNT}","input_tokens":COUNT,"output_tokens":COUNT,"charges":[{"meter":"input","quantity":"COUNT","unit_amount":"0.15","unit_per":1000000,"amount":"COST","price_row":"genai-prices@0.1.8/openai/MODEL"},{"meter":"output_text","quantity":"COUNT","unit_amount":"0.6","unit_per":1000000,"amount":"COST","price_row":"genai-prices@0.1.8/openai/MODEL"}],"cost":"COST","cost_state":"exact","cost_reason":"","unpriced_meters":[],"at_risk":null,"price_book":"9a9e244918abff22"}';

const clock = systemClock;
const dir = await mkdtemp(join(tmpdir(), 'apportion-bench-files-'));

try {
  const { syncMs, isMemory } = await measureDisk(dir);
  print(`disk: append + fdatasync ${tail(syncMs)}; ${RATE} calls/s, a wait is an intent and an entry of 1.6 KB`);
  if (isMemory) print('This folder is in memory: set TMPDIR to a disk for figures that mean something.');
  await rotations();
  if (process.argv[2] !== 'rotations') await compression();
} finally {
  await rm(dir, { recursive: true });
}

type Opened = Awaited<ReturnType<typeof openJournal>>;

/** `at` on the wall clock, as the headers of files have it. */
type Wait = { readonly at: number; readonly ms: number };

/** Calls come as they come, whatever the journal does: one that waits holds up none behind it. */
async function paced(opened: Opened, forMs: number): Promise<Wait[]> {
  const found: Wait[] = [];
  const running: Promise<void>[] = [];
  const startedAt = clock.elapsedMs();
  const call = async (attempt: string): Promise<void> => {
    const body = entry();
    const at = clock.now();
    const begunAt = clock.elapsedMs();
    await opened.begin(attempt, body);
    await opened.settle(attempt, body);
    found.push({ at, ms: clock.elapsedMs() - begunAt });
  };
  for (let n = 0; clock.elapsedMs() - startedAt < forMs;) {
    for (; n < ((clock.elapsedMs() - startedAt) * RATE) / 1000; n += 1) running.push(call(`call_${startedAt}_${n}`));
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
  }
  await Promise.all(running);
  return found;
}

/** Those around a new file beside all others of the same run. */
async function rotations(): Promise<void> {
  const folder = await mkdtemp(join(dir, 'rotations-'));
  const opened = await openJournal({ dir: folder, nodeId: 'node_bench', clock, segmentBytes: ROTATE_BYTES });
  const all = await paced(opened, PACED_MS);
  await opened.close();
  const rotatedAt = listSealed(folder).map((segment) => Date.parse(readSealed(folder, segment).sealedAt));
  const isNear = ({ at }: Wait): boolean => rotatedAt.some((one) => at > one - AROUND_MS && at < one + AROUND_MS);
  print(`no new file near     ${waits(all.filter((wait) => !isNear(wait)))}`);
  print(`within ${AROUND_MS} ms of one  ${waits(all.filter(isNear))}, ${rotatedAt.length} new files`);
}

async function compression(): Promise<void> {
  const folder = await mkdtemp(join(dir, 'compression-'));
  const opened = await openJournal({ dir: folder, nodeId: 'node_bench', clock });
  for (let n = 0; n < COMPRESSED_ENTRIES; n += AT_ONCE) {
    if (n % SEGMENT_ENTRIES === 0) await opened.rotate();
    await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => opened.settle(`call_${n + at}`, entry())));
  }
  await opened.rotate();
  print(`nothing compressed   ${waits(await paced(opened, PACED_MS / 2))}`);
  const done: { plainBytes: number; bytes: number; ms: number }[] = [];
  const keeper = createSegmentKeeper({
    dir: folder,
    compress: true,
    retention: null,
    clock,
    log: {
      info: (fields) => done.push(fields as (typeof done)[number]),
      warn: () => undefined,
      error: (fields) => print(JSON.stringify(fields)),
    },
  });
  const startedAt = clock.now();
  let endedAt = startedAt;
  const tended = keeper.tend().then(() => (endedAt = clock.now()));
  const beside = await paced(opened, PACED_MS / 2);
  await tended;
  await keeper.close();
  print(`while compressing    ${waits(beside.filter(({ at }) => at < endedAt))}`);
  const [plain, bytes] = [sum(done.map((one) => one.plainBytes)), sum(done.map((one) => one.bytes))];
  const speed = plain / 1_000_000 / ((endedAt - startedAt) / 1000);
  print(
    `compressed ${(plain / 1_000_000).toFixed(0)} MB to 1/${(plain / bytes).toFixed(1)} at ${speed.toFixed(0)} MB/s, read back and checked`,
  );
  const readAt = clock.elapsedMs();
  const entries = Array.from(readEntries(folder), ({ seq }) => seq).length;
  print(`reading it back: ${Math.round((entries * 1000) / (clock.elapsedMs() - readAt))} entries/s`);
  await opened.close();
}

function entry(): string {
  const call = `call_${randomBytes(16).toString('hex')}`;
  const pick = (values: readonly string[]): string => values[randomInt(values.length)] ?? '';
  const values: Readonly<Record<string, () => string>> = {
    CALL: () => call,
    SALT: () => randomBytes(16).toString('base64url'),
    TIME: () => `${randomInt(10, 60)}.${randomInt(100, 1000)}`,
    KEY: () => `k${randomInt(50)}`,
    CUSTOMER: () => `customer-${randomInt(300)}`,
    SESSION: () => `session-${randomInt(500_000)}`,
    FEATURE: () => pick(['chat', 'search', 'summary', 'triage', 'translation']),
    MODEL: () => pick(['gpt-4o-mini', 'gpt-4o', 'gpt-5-mini', 'o3']),
    COST: () => String(randomInt(2_000_000_000)),
    UPSTREAM: () => `chatcmpl-${randomBytes(12).toString('base64url')}`,
    COUNT: () => String(randomInt(20_000)),
  };
  return SAMPLE.replaceAll(/[A-Z]{3,}(?=[^a-z]|$)/g, (name) => values[name]?.() ?? name);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function waits(found: readonly Wait[]): string {
  return `${tail(found.map((wait) => wait.ms))} (${found.length})`;
}

function tail(values: readonly number[]): string {
  return [0.5, 0.99, 0.999].map((part) => `p${part * 100} ${quantile(values, part).toFixed(2)} ms`).join(' ');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
