export { readOllamaUsage } from './usage.ts';
