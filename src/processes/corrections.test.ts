import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApportionError, type EntryId } from '#terms';
import { Corrections } from './corrections.ts';
import type { ToGateway } from './messages.ts';

const ENTRY = { id: 'call_1.1.correction.1' as EntryId, body: '{}' };

test('entries are appended when the gateway process says so, each question by its own answer', async () => {
  const told: ToGateway[] = [];
  const corrections = new Corrections((message) => told.push(message));
  const first = corrections.append([ENTRY]);
  const second = corrections.append([]);
  assert.deepEqual(told, [
    { type: 'correct', id: 1, entries: [ENTRY] },
    { type: 'correct', id: 2, entries: [] },
  ]);
  corrections.corrected({ type: 'corrected', id: 2, seq: 8, problem: null });
  corrections.corrected({ type: 'corrected', id: 1, seq: 9, problem: null });
  assert.deepEqual(await Promise.all([first, second]), [9, 8]);
});

const isUnavailable = (error: unknown): boolean =>
  error instanceof ApportionError && error.code === 'journal_unavailable';

test('what the journal refuses, or nobody answers, is an error that says it may be asked again', async () => {
  const corrections = new Corrections(() => undefined, 1);
  const refused = corrections.append([ENTRY]);
  corrections.corrected({ type: 'corrected', id: 1, seq: 0, problem: 'the disk is full' });
  await assert.rejects(refused, isUnavailable);
  await assert.rejects(corrections.append([ENTRY]), isUnavailable);
});
