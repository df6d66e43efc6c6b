// Loaded into every process and thread of a gateway before its own code: the system's clock is off by what a file says, and jumps when
// the file changes. Monotonic time goes on as it does on a real machine.
import { readFileSync } from 'node:fs';

const file = process.env['APPORTION_TEST_CLOCK'] ?? '';
const LOOK_AGAIN_MS = 10;

const realNow = Date.now.bind(Date);
let offsetMs = 0;
let lookedAt = Number.NEGATIVE_INFINITY;

Date.now = () => {
  const at = performance.now();
  if (at - lookedAt >= LOOK_AGAIN_MS) {
    lookedAt = at;
    // While it is written anew it may be empty for a moment: then the clock stays as it was.
    offsetMs = Number.parseInt(readFileSync(file, 'utf8'), 10) || offsetMs;
  }
  return realNow() + offsetMs;
};
