import type { Usage } from '#terms';
import { asObject } from '../loose-json.ts';
import { Counter, readGiven, toUsage, type Reading } from '../reading.ts';
import type { UsageContext, UsageObject } from '../wire.ts';

/**
 * Reads the `meta` of a Cohere rerank or embedding and the `usage` of a chat. `billed_units` is what the bill says; `tokens`
 * counts what the model saw, templates included, and is taken, as unsound, only where nothing was stated as billed.
 */
export function readCohereUsage(usage: unknown, context: UsageContext): Usage | null {
  const given = readGiven(usage);
  if (given === null) return null;
  const billed = asObject(given.object['billed_units']);
  const counted = asObject(given.object['tokens']);
  if (billed === null && counted === null) return null;
  const counter = new Counter();
  const reading = billed === null ? readTokens(counted ?? {}, counter) : readBilled(billed, counter);
  if (counter.absurd) return toUsage(given, 'absurd', context);
  if (Object.values(reading.meters).every((quantity) => quantity === undefined)) return null;
  return toUsage(given, reading, context);
}

function readBilled(billed: UsageObject, counter: Counter): Reading {
  const imageTokens = counter.count(billed['image_tokens']);
  const images = counter.count(billed['images']);
  return {
    meters: {
      input: counter.count(billed['input_tokens']),
      input_image: imageTokens,
      output_text: counter.count(billed['output_tokens']),
      // The API writes these as floats: 2 searches are 2.0, which is the same JSON number.
      search_unit: counter.count(billed['search_units']),
      image: imageTokens === undefined ? images : undefined,
      request: counter.count(billed['classifications']),
    },
    sound: true,
  };
}

function readTokens(tokens: UsageObject, counter: Counter): Reading {
  return {
    meters: { input: counter.count(tokens['input_tokens']), output_text: counter.count(tokens['output_tokens']) },
    sound: false,
  };
}
