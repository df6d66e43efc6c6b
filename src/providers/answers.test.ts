import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import * as wires from '#wires';
import { PROVIDERS } from './registry.ts';

/**
 * Answers in each provider's real format, in `<provider>/answers/`: `*.json` whole, `*.sse` streamed. `expected.json` says
 * for each file which wire it is, which headers came with it, and what must be read from it; meters of 0 are left out.
 */
const expectedSchema = z.record(
  z.string(),
  z.strictObject({
    wire: z.string(),
    headers: z.record(z.string(), z.string()).optional(),
    id: z.string(),
    model: z.string(),
    meters: z.record(z.string(), z.number()),
    reportedCost: z.string().optional(),
    serviceTier: z.string().optional(),
  }),
);

type Expected = z.output<typeof expectedSchema>[string];

function wireNamed(name: string): wires.Wire {
  const found = Object.values(wires).find(
    (one): one is wires.Wire => typeof one === 'object' && 'name' in one && one.name === name,
  );
  assert.ok(found !== undefined, `no wire is named ${name}`);
  return found;
}

function request(delivery: 'whole' | 'streamed'): wires.WireRequest {
  const stream = delivery === 'streamed';
  return { model: '', stream, wantsUsage: false, maxOutputTokens: null, choices: 1, maxInputTokens: null };
}

/** What of an answer's facts `expected.json` speaks of. */
function gist({ id, model, usage, usageComplete, failed }: wires.AnswerFacts): unknown {
  const meters = Object.entries(usage?.meters ?? {}).filter(([, quantity]) => quantity !== 0);
  return {
    id,
    model,
    meters: Object.fromEntries(meters),
    reportedCost: usage?.reportedCost,
    serviceTier: usage?.serviceTier,
    sound: usage?.inconsistent !== true && usageComplete && !failed,
  };
}

function expectedGist({ id, model, meters, reportedCost, serviceTier }: Expected): unknown {
  const nonZero = Object.entries(meters).filter(([, quantity]) => quantity !== 0);
  return { id, model, meters: Object.fromEntries(nonZero), reportedCost, serviceTier, sound: true };
}

for (const { name, quirks } of PROVIDERS) {
  const folder = join(import.meta.dirname, name, 'answers');
  if (!existsSync(folder)) continue;
  const expected = expectedSchema.parse(JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')));
  for (const [file, one] of Object.entries(expected)) {
    const bytes = readFileSync(join(folder, file));
    const headers = one.headers ?? {};
    if (file.endsWith('.json')) {
      test(`${name}: ${file} is read as it was counted`, () => {
        const facts = wireNamed(one.wire).readAnswer(bytes, { request: request('whole'), quirks, headers });
        assert.deepEqual(gist(facts), expectedGist(one));
      });
    } else {
      test(`${name}: ${file} is read as it was counted, wherever its bytes are cut`, () => {
        const wire = wireNamed(one.wire);
        for (let cut = 0; cut < bytes.length; cut += 1) {
          const meter = wire.meterStream({ request: request('streamed'), quirks, headers });
          meter.push(bytes.subarray(0, cut));
          meter.push(bytes.subarray(cut));
          assert.deepEqual(gist(meter.facts()), expectedGist(one), `cut at ${cut}`);
        }
      });
    }
  }
}
