export { readBedrockConverseUsage, type BedrockContext } from './converse-usage.ts';
export { readBedrockInvokeUsage } from './invoke-usage.ts';
