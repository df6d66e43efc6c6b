import type { Log as FullLog } from '#observe';

/** What this module tells the operator. */
export type Log = Pick<FullLog, 'info' | 'warn' | 'error'>;
