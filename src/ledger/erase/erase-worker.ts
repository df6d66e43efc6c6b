import { parentPort, workerData } from 'node:worker_threads';
import { eraseJournals } from './erase-journal.ts';

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
parentPort?.postMessage(eraseJournals(workerData));
