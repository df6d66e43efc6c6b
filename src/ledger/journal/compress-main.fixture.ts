import { compressSegment } from './compression.ts';

// Run by compression.test.ts under a tracer that kills it. Argument: the journal folder.
const [dir = ''] = process.argv.slice(2);
compressSegment(dir, 1);
compressSegment(dir, 2);
