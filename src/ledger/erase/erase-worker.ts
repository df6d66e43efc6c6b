import { parentPort, workerData } from 'node:worker_threads';
import { eraseJournals } from './erase-journal.ts';

parentPort?.postMessage(eraseJournals(workerData));
