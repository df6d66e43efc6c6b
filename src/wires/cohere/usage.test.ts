import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_QUIRKS } from '../wire.ts';
import { readCohereUsage } from './index.ts';

const CONTEXT = { quirks: NO_QUIRKS };

test('what was billed counts, not what the model saw', () => {
  const chat = {
    billed_units: { input_tokens: 5, output_tokens: 418 },
    tokens: { input_tokens: 71, output_tokens: 418 },
  };
  assert.deepEqual(readCohereUsage(chat, CONTEXT)?.meters, { input: 5, output_text: 418 });
  assert.deepEqual(readCohereUsage('{"billed_units":{"search_units":2.0}}', CONTEXT)?.meters, { search_unit: 2 });
});

test('pictures are billed by their tokens where those are stated, else by their number', () => {
  const stated = { billed_units: { images: 2, image_tokens: 900 } };
  assert.deepEqual(readCohereUsage(stated, CONTEXT)?.meters, { input_image: 900 });
  assert.deepEqual(readCohereUsage({ billed_units: { images: 2 } }, CONTEXT)?.meters, { image: 2 });
});

test('tokens alone are taken and flagged, and nothing stated is null', () => {
  const counted = readCohereUsage({ tokens: { input_tokens: 71, output_tokens: 4 } }, CONTEXT);
  assert.deepEqual([counted?.meters, counted?.inconsistent], [{ input: 71, output_text: 4 }, true]);
  assert.equal(readCohereUsage({ billed_units: {} }, CONTEXT), null);
  assert.equal(readCohereUsage({ api_version: { version: '2' } }, CONTEXT), null);
  assert.deepEqual(readCohereUsage({ billed_units: { search_units: -2 } }, CONTEXT)?.meters, {});
});
