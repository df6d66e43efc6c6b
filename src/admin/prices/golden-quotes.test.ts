import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { openAdmin, type OpenAdmin } from '../open-admin.fixture.ts';

const text = z.string();
const golden = z
  .object({
    cases: z.array(
      z.looseObject({
        id: text,
        title: text,
        expected: z.object({
          breakdown: z.record(text, z.number()),
          line_items: z.array(z.object({ component: text, quantity: text, cost_usd: text })),
          total_usd: text,
          accuracy: z.enum(['exact', 'incomplete', 'unpriced']),
          missing_components: z.array(text).default([]),
          provider_reported_usd: text.optional(),
          list_total_usd: text.optional(),
          provider_cost_usd: text.optional(),
          'total_usd_1e-12_half_even': text.optional(),
        }),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../../../tests/golden/golden-costs.json'), 'utf8')));

const answer = z.object({
  cost_state: text,
  cost_usd_exact: text,
  list_cost_usd_exact: text.nullable(),
  billed_usd_exact: text,
  meters: z.record(text, z.number()),
  lines: z.array(z.object({ meter: text, quantity: z.number(), amount_usd_exact: text })),
  unpriced_meters: z.array(text),
});

let admin: OpenAdmin;

before(async () => {
  admin = await openAdmin();
});
after(() => admin.close());

for (const { id, title, expected, wire, provider, model, usage, events, context, pricing } of golden.cases) {
  test(`a quote of ${id} is what it costs: ${title}`, async () => {
    const { status, body } = await admin.ask('/v1/prices/quote', {
      wire,
      provider,
      model,
      pricing,
      ...(usage === undefined ? { events } : { usage }),
      ...(context === undefined ? {} : { context }),
    });
    assert.equal(status, 200, JSON.stringify(body));
    const quoted = answer.parse(body);
    const reportedOnly = expected.line_items[0]?.component === 'reported_cost';
    const reported = reportedOnly || expected.provider_reported_usd !== undefined;
    assert.deepEqual(
      {
        meters: quoted.meters,
        state: quoted.cost_state,
        cost: quoted.cost_usd_exact,
        lines: new Set(quoted.lines.map((line) => [line.meter, String(line.quantity), line.amount_usd_exact])),
        list: quoted.list_cost_usd_exact,
        billed: quoted.billed_usd_exact,
        unpriced: reportedOnly ? [] : quoted.unpriced_meters,
      },
      {
        meters: expected.breakdown,
        state: reported ? 'reported' : expected.accuracy,
        cost: expected.provider_cost_usd ?? expected.total_usd,
        lines: new Set(
          reportedOnly ? [] : expected.line_items.map((line) => [line.component, line.quantity, line.cost_usd]),
        ),
        list:
          reportedOnly || expected.accuracy === 'incomplete' ? null : (expected.list_total_usd ?? expected.total_usd),
        billed: expected['total_usd_1e-12_half_even'] ?? expected.total_usd,
        unpriced: expected.missing_components,
      },
    );
  });
}
