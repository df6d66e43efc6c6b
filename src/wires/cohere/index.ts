export { readCohereUsage } from './usage.ts';
