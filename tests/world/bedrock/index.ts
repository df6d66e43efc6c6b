import type { Dialect, Received, Refusal } from '../dialect.ts';
import { converse } from './converse.ts';
import { invoke } from './invoke.ts';
import { refusal } from './refusals.ts';
import { AWS_IDENTITY, signatureFault } from './signature.ts';

const MODEL_PATH = /^\/model\/([^/]+)\/(converse|converse-stream|invoke|invoke-with-response-stream)$/;

/** A Bedrock API key, or a signature that is computed anew. */
function authorize(received: Received, apiKey: string): Refusal | undefined {
  if (received.headers['authorization'] === `Bearer ${apiKey}`) return undefined;
  const fault = signatureFault(received, AWS_IDENTITY);
  return fault === null ? undefined : refusal(403, fault);
}

export const bedrock: Dialect = {
  name: 'bedrock',
  owns: ({ path }) => path.startsWith('/model/'),
  authorize,
  operation: ({ method, path }) => {
    const [, model = '', action = ''] = MODEL_PATH.exec(path) ?? [];
    if (method !== 'POST' || action === '') return undefined;
    const id = decodeURIComponent(model);
    return action.startsWith('converse') ? converse(id, action) : invoke(id, action);
  },
  refusal,
};
