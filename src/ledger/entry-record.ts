import { z } from 'zod';
import type { TimestampMs } from '#std';
import {
  COST_STATES,
  METERS,
  picoUsd,
  type CallId,
  type CostState,
  type EntryId,
  type Meters,
  type PicoUsd,
} from '#terms';
import type { ChargeLine } from './charge-line.ts';
import { textsByKey } from './texts-by-key.ts';

/** An entry read back, its money as amounts. Of rows older than a field, the field is empty. */
export type EntryRecord = {
  /** Every field as it stands in the entry's text. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly entryId: EntryId;
  readonly callId: CallId;
  readonly attempt: number;
  readonly kind: string;
  readonly effectiveAt: TimestampMs;
  readonly wire: string;
  readonly keyId: string;
  readonly keyTeam: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly requestModel: string;
  readonly provider: string;
  readonly priceAs: string;
  readonly region: string;
  readonly model: string;
  readonly responseModel: string;
  readonly serviceTier: string;
  readonly geo: string;
  readonly meters: Meters;
  readonly usageOrigin: string;
  readonly usageRaw: string;
  readonly others: readonly { readonly model: string; readonly meters: Meters }[];
  readonly charges: readonly ChargeLine[];
  readonly cost: PicoUsd | null;
  readonly listCost: PicoUsd | null;
  readonly billed: PicoUsd | null;
  readonly computedCost: PicoUsd | null;
  readonly costState: CostState;
  readonly costReason: string;
  readonly atRisk: PicoUsd | null;
  readonly corrects: string;
};

const text = z.string();
const money = z
  .string()
  .regex(/^-?\d+$/)
  .nullish()
  .transform((pico) => (pico === null || pico === undefined ? null : picoUsd(BigInt(pico))));
const meters = z.partialRecord(z.enum(METERS), z.number());

const entrySchema = z.object({
  entry_id: text,
  call_id: text,
  attempt: z.number(),
  kind: text,
  effective_at: z.iso.datetime(),
  wire: text.default(''),
  key_id: text,
  key_team: text,
  tags: textsByKey,
  request_model: text,
  provider: text,
  price_as: text.default(''),
  region: text.default(''),
  model: text,
  response_model: text,
  service_tier: text,
  geo: text.default(''),
  meters,
  usage_origin: text,
  usage_raw: text,
  other_usage: text.default(''),
  charges: z.array(
    z.object({
      meter: text,
      quantity: text,
      unit_amount: text,
      unit_per: z.number(),
      amount: text,
      price_row: text,
    }),
  ),
  cost: money,
  list_cost: money,
  billed: money,
  computed_cost: money,
  cost_state: z.enum(COST_STATES),
  cost_reason: text,
  at_risk: money,
  corrects: text.default(''),
});

const othersSchema = z.array(z.object({ model: text, meters }));

const fieldsSchema = z.record(text, z.unknown());

/** Throws what zod throws: an entry of ours that does not fit is a bug. */
export function parseEntry(json: unknown): EntryRecord {
  const entry = entrySchema.parse(json);
  return {
    fields: fieldsSchema.parse(json),
    entryId: entry.entry_id as EntryId,
    callId: entry.call_id as CallId,
    attempt: entry.attempt,
    kind: entry.kind,
    effectiveAt: Date.parse(entry.effective_at) as TimestampMs,
    wire: entry.wire,
    keyId: entry.key_id,
    keyTeam: entry.key_team,
    tags: entry.tags,
    requestModel: entry.request_model,
    provider: entry.provider,
    priceAs: entry.price_as,
    region: entry.region,
    model: entry.model,
    responseModel: entry.response_model,
    serviceTier: entry.service_tier,
    geo: entry.geo,
    meters: entry.meters,
    usageOrigin: entry.usage_origin,
    usageRaw: entry.usage_raw,
    others: entry.other_usage === '' ? [] : othersSchema.parse(JSON.parse(entry.other_usage)),
    charges: entry.charges,
    cost: entry.cost,
    listCost: entry.list_cost,
    billed: entry.billed,
    computedCost: entry.computed_cost,
    costState: entry.cost_state,
    costReason: entry.cost_reason,
    atRisk: entry.at_risk,
    corrects: entry.corrects,
  };
}
