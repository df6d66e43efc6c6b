/**
 * Is: what the server shows of itself: log lines, metrics, and the first screen in the terminal.
 * Owns: every write to stdout and stderr, metric names, hiding of secrets. Not: deciding what is worth telling.
 * Holds: no key or authorisation header is in a line; the number of time series is bounded.
 * Fails: never throws; a blocked stderr blocks the process.
 */
export { createConsole, welcomeText, type Console, type Welcome } from './console.ts';
export { createLog, type Log } from './log.ts';
export { createMetrics, type CallEnd, type Metrics } from './metrics.ts';
