import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { describeSystemError } from './system-error.ts';

function refusedBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return assert.fail('it was done');
}

test('what the system refuses is told with the path and what to do', () => {
  const refused = refusedBy(() => mkdirSync(`${import.meta.filename}/folder`));
  assert.equal(
    describeSystemError(refused),
    `ENOTDIR: not a directory, mkdir '${import.meta.filename}/folder'. A part of the path is a file: name a folder, or a place in one.`,
  );
});

test('an error that is not of the system is left to whoever knows it', () => {
  assert.equal(describeSystemError(new Error('ENOENT')), null);
  assert.equal(describeSystemError(Object.assign(new Error('no'), { code: 'ERR_INVALID_ARG_TYPE' })), null);
  assert.equal(describeSystemError('ENOENT'), null);
});
