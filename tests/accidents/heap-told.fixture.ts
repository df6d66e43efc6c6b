// Loaded into every process and thread of a gateway: whenever a file names another question, each thread collects its garbage and
// writes down what it still holds.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { threadId } from 'node:worker_threads';

const file = process.env['APPORTION_TEST_HEAP'] ?? '';
const LOOK_MS = 100;

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');
let answered = '';

function look(): void {
  const question = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (question === answered || typeof collect !== 'function') return;
  answered = question;
  // The first one may leave what only finalisers let go.
  collect();
  collect();
  writeFileSync(`${file}.${question}.${process.pid}.${threadId}`, String(process.memoryUsage().heapUsed));
}

setInterval(look, LOOK_MS).unref();
