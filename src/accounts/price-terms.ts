import { type Clock } from '#std';
import { ApportionError } from '#terms';
import { type AuditLog } from './audit-log.ts';
import { type ControlWrites } from './control-writes.ts';
import { type ControlDatabase } from './database.ts';
import { type StoredPriceTerm } from './price-term-record.ts';
import { type PriceTermRequest } from './price-term-request.ts';
import { findPriceTerm, listPriceTerms } from './price-term-table.ts';

export type PriceTermRegisterDeps = {
  readonly database: ControlDatabase;
  readonly writes: ControlWrites;
  readonly audit: AuditLog;
  readonly clock: Clock;
};

/** What the operator says about prices through the API. Nothing in it is changed: a new term ends the older one it takes the place of. */
export class PriceTermRegister {
  readonly #deps: PriceTermRegisterDeps;

  constructor(deps: PriceTermRegisterDeps) {
    this.#deps = deps;
  }

  /** Holds on the very next call. @param actor who says so, for the audit log */
  async create(request: PriceTermRequest, actor: string): Promise<StoredPriceTerm> {
    const { writes, clock, audit } = this.#deps;
    const { id, kind, body } = request;
    return writes.write(async (queries, revision) => {
      if ((await findPriceTerm(queries, id)) !== undefined) throw idTaken(id);
      for (const other of await listPriceTerms(queries)) refuseSameStart(request, other);
      const term: StoredPriceTerm = {
        id,
        kind,
        body,
        createdAt: clock.now(),
        createdBy: actor,
        deletedAt: null,
        revision,
      };
      await audit.record({ actor, action: `${kind}.create`, target: id, detail: body }, queries);
      return { answer: term, priceTerms: [term] };
    });
  }

  /** As if it had never held: what it priced stays as it is until it is repriced. */
  async delete(id: string, actor: string): Promise<StoredPriceTerm> {
    const { writes, clock, audit } = this.#deps;
    return writes.write(async (queries, revision) => {
      const before = await findPriceTerm(queries, id);
      if (before === undefined || before.deletedAt !== null) throw unknownTerm(id);
      const term = { ...before, deletedAt: clock.now(), revision };
      await audit.record({ actor, action: `${term.kind}.delete`, target: id, detail: term.body }, queries);
      return { answer: term, priceTerms: [term] };
    });
  }

  /** A deleted one is found too: entries name it. */
  async infoOf(id: string): Promise<StoredPriceTerm> {
    const term = await findPriceTerm(this.#deps.database, id);
    if (term === undefined) throw unknownTerm(id);
    return term;
  }

  /** Those that are not deleted, newest first. */
  async list(): Promise<StoredPriceTerm[]> {
    return listPriceTerms(this.#deps.database);
  }
}

/** What two terms must share for one to take the other's place. */
const SCOPE = ['kind', 'provider', 'model', 'service_tier', 'region', 'team', 'key', 'tag', 'window'] as const;

/** From two that begin at one moment nobody can tell which was meant. */
function refuseSameStart(request: PriceTermRequest, other: StoredPriceTerm): void {
  if (scopeOf(request.body) !== scopeOf(other.body)) return;
  throw new ApportionError('conflict', `${other.id} is for the same calls from the same moment on.`, {
    param: 'effective_from',
    hint: `Let this one begin later, or take ${other.id} away with DELETE /v1/prices/terms/${other.id}.`,
  });
}

function scopeOf(body: StoredPriceTerm['body']): string {
  const from = body['effective_from'];
  const start = typeof from === 'string' ? Date.parse(from) : null;
  return JSON.stringify([start, ...SCOPE.map((field) => body[field] ?? null), ...partsOf(body)]);
}

/** A price with rates is all there is to say of its model; one without says a part of it, beside others. */
function partsOf(body: StoredPriceTerm['body']): readonly boolean[] {
  const { rates, kind } = body;
  if (kind !== 'price' || (typeof rates === 'object' && rates !== null && Object.keys(rates).length > 0)) return [];
  const { service_tiers: tiers, geo, inherit, context_window: window, max_output_tokens: output } = body;
  return [tiers, geo, inherit, window ?? output].map((part) => part !== undefined);
}

function idTaken(id: string): ApportionError {
  return new ApportionError('conflict', `${id} exists.`, {
    param: 'id',
    hint: 'A price is never changed, as entries name it. Send what is different as a new one, without id or with another.',
  });
}

function unknownTerm(id: string): ApportionError {
  return new ApportionError('not_found', `There is no price, contract or markup ${id} here.`, {
    hint: 'GET /v1/prices/terms lists them. What the configuration file says is changed there.',
  });
}
