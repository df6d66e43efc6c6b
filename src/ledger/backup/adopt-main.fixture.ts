import { systemClock } from '#std';
import { adoptNode } from './adoption.ts';

// Run by adoption.test.ts under a tracer that kills it. Arguments: from, to.
const [from = '', dataDir = ''] = process.argv.slice(2);
await adoptNode({ from, dataDir, clock: systemClock });
