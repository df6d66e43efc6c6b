import * as z from 'zod/mini';
import { send } from './client.ts';

const resolutionSchema = z.object({ applied: z.number(), cost_usd_exact: z.nullable(z.string()) });

export type Resolution = z.infer<typeof resolutionSchema>;

export type Stated = { readonly entryId: string; readonly costUsd: string; readonly reason: string };

/** Says what a call in doubt cost: a correction is recorded, and the doubt is over. */
export async function resolveCall({ entryId, costUsd, reason }: Stated): Promise<Resolution> {
  const path = `/v1/events/${encodeURIComponent(entryId)}/resolve`;
  const answer = await send(path, { method: 'POST', body: { cost_usd: costUsd, reason } });
  return resolutionSchema.parse(await answer.json());
}
