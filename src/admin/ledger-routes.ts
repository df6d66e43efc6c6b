import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { BatchFolder, BatchRecord } from '#batches';
import type { Erasures } from '#jobs';
import type { Chain } from '#ledger/chain';
import type { ErasureSubject } from '#ledger/erase';
import { ApportionError, ENTITY_TYPES, formatUsd, LIMITS, usdNumber } from '#terms';
import { actorOf } from './actor.ts';
import { parseRequest } from './parse-request.ts';

export type LedgerRouteDeps = {
  readonly chain: Pick<Chain, 'roots' | 'state'>;
  readonly erasures: Pick<Erasures, 'request' | 'list'>;
  readonly batches: Pick<BatchFolder, 'readOpen' | 'readEnded'>;
};

/** What proves the ledger, for whoever keeps it where the ledger's own machine cannot write; and what is erased from it. */
export function addLedgerRoutes(app: FastifyInstance, { chain, erasures, batches }: LedgerRouteDeps): void {
  app.get('/v1/ledger/roots', () => {
    const { seq, head, failing } = chain.state();
    return {
      object: 'list',
      data: chain.roots().map((root) => ({ object: 'ledger_root', ...root })),
      // The chain as it is now, in the middle of a day.
      head: seq === 0 ? null : { seq, root: head },
      failing,
    };
  });

  app.get('/v1/ledger/batches', async () => {
    const [running, ended] = await Promise.all([batches.readOpen(), batches.readEnded()]);
    const data = [
      ...running.map((record) => toWireBatch(record, 'running')),
      ...ended.map((record) => toWireBatch(record, 'ended')),
    ];
    return { object: 'list', data: data.toSorted((left, right) => left.created_at.localeCompare(right.created_at)) };
  });

  app.post('/v1/erasures', async (request, reply) => {
    const { reason, ...named } = parseRequest(request.body ?? {}, { schema: erasure, hint: HINT });
    const record = await erasures.request({ subject: subjectOf(named), reason, actor: actorOf(request) });
    return reply.code(record.state === 'running' ? 202 : 200).send({ object: 'erasure', ...record });
  });

  app.get('/v1/erasures', () => ({
    object: 'list',
    data: erasures.list().map((record) => ({ object: 'erasure', ...record })),
  }));
}

/** `ended`: every line has its entry, and what was held is about to be given back. */
function toWireBatch({ batch, provider, callId, createdAt, reserved, lines, key }: BatchRecord, state: string) {
  return {
    object: 'ledger_batch',
    batch,
    provider,
    state,
    call_id: callId,
    created_at: new Date(createdAt).toISOString(),
    lines,
    // Null: nothing bounds it.
    at_risk: reserved === null ? null : usdNumber(reserved),
    at_risk_exact: reserved === null ? null : formatUsd(reserved),
    key_id: key.id,
    key_name: key.name,
    key_team: key.team,
  };
}

const value = z.string().min(1).max(LIMITS.tagValueChars);

const erasure = z.strictObject({
  entity_type: z.enum(ENTITY_TYPES, `one of ${ENTITY_TYPES.join(', ')}; any other key is erased as a tag`).optional(),
  entity_id: value.optional(),
  session_id: z.string().min(1).max(LIMITS.sessionIdChars).optional(),
  tag: z
    .string()
    .regex(/^[^:]+:./s, 'key:value')
    .optional(),
  key_owner: value.optional(),
  reason: z.string().trim().min(1).max(1000),
});

const HINT =
  'Name one: {"entity_type": "customer", "entity_id": "acme"}, {"session_id": …}, {"tag": "user:ann"} or {"key_owner": "ann"}; and a "reason".';

type Named = Omit<z.infer<typeof erasure>, 'reason'>;

/** Exactly one of them: two could be meant as both or as either. */
function subjectOf({ entity_type, entity_id, session_id, tag, key_owner }: Named): ErasureSubject {
  const named: ErasureSubject[] = [];
  if (entity_type !== undefined && entity_id !== undefined)
    named.push({ kind: 'tag', key: entity_type, value: entity_id });
  else if (entity_type !== undefined || entity_id !== undefined) throw unclear('entity_id');
  if (session_id !== undefined) named.push({ kind: 'session', value: session_id });
  if (tag !== undefined) named.push({ kind: 'tag', ...splitTag(tag) });
  if (key_owner !== undefined) named.push({ kind: 'key_owner', value: key_owner });
  const [subject] = named;
  if (subject === undefined || named.length > 1) throw unclear('entity_id');
  return subject;
}

function splitTag(tag: string): { readonly key: string; readonly value: string } {
  const colon = tag.indexOf(':');
  return { key: tag.slice(0, colon), value: tag.slice(colon + 1) };
}

function unclear(param: string): ApportionError {
  return new ApportionError('invalid_field', 'It is not clear what is to be erased.', { param, hint: HINT });
}
