export { readBedrockConverseUsage } from './converse-usage.ts';
export { readBedrockInvokeUsage } from './invoke-usage.ts';
