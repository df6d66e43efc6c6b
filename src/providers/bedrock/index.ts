import { NO_QUIRKS } from '#wires';
import { bearer } from '../credentials.ts';
import type { Provider } from '../provider.ts';
import { openBedrock, TAKES } from './access.ts';

/** Models of many makers at Amazon Bedrock, by a signature or a Bedrock API key. It bills the whole answer when a client leaves. */
export const bedrock: Provider = {
  name: 'bedrock',
  title: 'Amazon Bedrock',
  baseUrl: null,
  alsoKnownAs: ['aws_bedrock'],
  priceAs: 'aws',
  dialects: ['bedrock', 'anthropic'],
  cloud: { takes: TAKES, open: openBedrock },
  // A Claude answers with Anthropic's name for it, whichever inference profile was paid for.
  pricedBy: 'request',
  credentials: bearer,
  keyless: false,
  onDisconnect: 'drain',
  quirks: { ...NO_QUIRKS, streamUsage: 'always' },
};
