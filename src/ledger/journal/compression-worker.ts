import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { compressSegment, type Compressed } from './compression.ts';

/** A thread that compresses one segment and ends: it takes a second or two, which nobody else should wait. */
export type CompressionJob = { readonly dir: string; readonly segment: number };

// On Linux a thread has a priority of its own; elsewhere this would be the whole process's.
if (process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_LOW);
const { dir, segment }: CompressionJob = workerData;
const done: Compressed = compressSegment(dir, segment);
parentPort?.postMessage(done);
