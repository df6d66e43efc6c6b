import { type Scope } from '#budgets';
import { type Clock } from '#std';
import { ApportionError } from '#terms';
import { type AuditLog } from '../audit-log.ts';
import { type ControlWrites, type WriteQueries } from '../control-writes.ts';
import { type ControlDatabase } from '../database.ts';
import { type ControlChange } from '../key-record.ts';
import { referencedKey, unknownKey } from '../key-reference.ts';
import { type ControlQueries } from '../key-table.ts';
import { makeRuleId, type RandomBytes } from '../token.ts';
import { type RuleRecord } from './rule-record.ts';
import { scopeWords } from './scope-fields.ts';

export type RuleDeps = {
  readonly database: ControlDatabase;
  readonly writes: ControlWrites;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly random: RandomBytes;
};

export type NamedRule = RuleRecord & { readonly id: string; readonly name: string; readonly scope: Scope };

export type RuleRequest = { readonly id: string | null; readonly name: string | null; readonly scope: Scope };

/** Who changes a rule. `mayEdit` throws where a rule, as it is or as it shall be, is not theirs to change. */
export type RuleEditor = { readonly actor: string; mayEdit(rule: NamedRule): void };

export type RuleHead = RuleRecord & { readonly id: string; readonly name: string; readonly scope: Scope };

/** What budgets and limits do each in their own way. */
export type RuleShape<R extends NamedRule, Q extends RuleRequest> = {
  readonly word: 'budget' | 'limit';
  parseNew(body: unknown): Q;
  parseChange(before: R, body: unknown): Q;
  /** @param before what is not in a request is kept of it */
  record(request: Q, head: RuleHead, before: R | null): R;
  written(rules: readonly R[]): Partial<Omit<ControlChange, 'revision'>>;
  find(queries: ControlQueries, id: string): Promise<R | undefined>;
  list(queries: ControlQueries): Promise<R[]>;
  /** For the audit log. */
  detail(rule: R): Record<string, unknown>;
};

/** Rules of one kind: made, changed and taken away through the API, each audited, in force on the very next call. */
export class RuleRegister<R extends NamedRule, Q extends RuleRequest> {
  readonly #deps: RuleDeps;
  readonly #shape: RuleShape<R, Q>;

  constructor(deps: RuleDeps, shape: RuleShape<R, Q>) {
    this.#deps = deps;
    this.#shape = shape;
  }

  async create(body: unknown, editor: RuleEditor): Promise<R> {
    const request = this.#shape.parseNew(body);
    return this.#write(async (queries, revision) => this.#created(queries, { request, editor, revision }));
  }

  /** What is spent or taken stays: it belongs to the scope and the window. */
  async update(id: string, body: unknown, editor: RuleEditor): Promise<R> {
    return this.#write(async (queries, revision) => {
      const before = await this.#editable(queries, id, editor);
      const request = this.#shape.parseChange(before, body);
      return this.#changed(queries, { before, request, editor, revision });
    });
  }

  async delete(id: string, editor: RuleEditor): Promise<R> {
    return this.#write(async (queries, revision) => {
      const before = await this.#editable(queries, id, editor);
      const after = { ...before, deletedAt: this.#deps.clock.now(), revision };
      await this.#audit(queries, { action: 'delete', rule: after, editor });
      return after;
    });
  }

  /** Changes what requests do not say, such as a raise; rules of keys and teams may be changed so too. */
  async amend(id: string, action: string, { edit, editor, reason }: Amendment<R>): Promise<R> {
    return this.#write(async (queries, revision) => {
      const before = await this.#live(queries, id);
      editor.mayEdit(before);
      const after = { ...edit(before), updatedAt: this.#deps.clock.now(), revision };
      await this.#audit(queries, { action, rule: after, editor, reason });
      return after;
    });
  }

  /** Reads rules of a file. Throws `invalid_field` with the place of the first that is at fault. */
  parseAll(bodies: readonly unknown[]): readonly Q[] {
    return bodies.map((body, nth) => {
      try {
        return this.#shape.parseNew(body);
      } catch (error) {
        if (!(error instanceof ApportionError)) throw error;
        const place = `${this.#shape.word}s.${nth}`;
        const param = error.param === null ? place : `${place}.${error.param}`;
        const hint = error.hint === null ? {} : { hint: error.hint };
        throw new ApportionError(error.code, `${place}: ${error.message}`, { param, ...hint, cause: error });
      }
    });
  }

  /** Rules as they were exported: those whose id is there are changed, the others made; all or none. */
  async import(requests: readonly Q[], editor: RuleEditor): Promise<readonly R[]> {
    return this.#deps.writes.write(async (queries, revision) => {
      const rules: R[] = [];
      for (const request of requests) {
        const before = request.id === null ? undefined : await this.#shape.find(queries, request.id);
        const isThere = before !== undefined && before.deletedAt === null;
        if (isThere) refuseDerived(before, this.#shape.word);
        rules.push(
          isThere
            ? await this.#changed(queries, { before, request, editor, revision })
            : await this.#created(queries, { request, editor, revision }),
        );
      }
      return { answer: rules, ...this.#shape.written(rules) };
    });
  }

  /** A deleted one is found too: refusals name it. */
  async infoOf(id: string): Promise<R> {
    const rule = await this.#shape.find(this.#deps.database, id);
    if (rule === undefined) throw this.#unknown(id);
    return rule;
  }

  /** Those that are not deleted, oldest first. */
  async list(): Promise<R[]> {
    return this.#shape.list(this.#deps.database);
  }

  async #write(make: (queries: WriteQueries, revision: number) => Promise<R>): Promise<R> {
    return this.#deps.writes.write(async (queries, revision) => {
      const rule = await make(queries, revision);
      return { answer: rule, ...this.#shape.written([rule]) };
    });
  }

  async #created(queries: WriteQueries, { request, editor, revision }: Making<Q>): Promise<R> {
    const { clock, random } = this.#deps;
    const id = request.id ?? makeRuleId(this.#shape.word, random);
    const other = await this.#shape.find(queries, id);
    if (other !== undefined && other.deletedAt === null) throw this.#taken(id);
    const now = clock.now();
    const head: RuleHead = {
      id,
      name: request.name ?? scopeWords(request.scope),
      scope: await withKeyIds(queries, request.scope),
      origin: { kind: 'api', id: '' },
      createdAt: now,
      createdBy: editor.actor,
      updatedAt: now,
      deletedAt: null,
      revision,
    };
    const rule = this.#shape.record(request, head, null);
    editor.mayEdit(rule);
    await this.#audit(queries, { action: 'create', rule, editor });
    return rule;
  }

  async #changed(queries: WriteQueries, { before, request, editor, revision }: Changing<R, Q>): Promise<R> {
    editor.mayEdit(before);
    const { id, origin, createdAt, createdBy, deletedAt } = before;
    const head: RuleHead = {
      id,
      origin,
      createdAt,
      createdBy,
      deletedAt,
      revision,
      name: request.name ?? scopeWords(request.scope),
      scope: await withKeyIds(queries, request.scope),
      updatedAt: this.#deps.clock.now(),
    };
    const rule = this.#shape.record(request, head, before);
    editor.mayEdit(rule);
    await this.#audit(queries, { action: 'update', rule, editor });
    return rule;
  }

  async #editable(queries: WriteQueries, id: string, editor: RuleEditor): Promise<R> {
    const rule = await this.#live(queries, id);
    editor.mayEdit(rule);
    refuseDerived(rule, this.#shape.word);
    return rule;
  }

  async #live(queries: WriteQueries, id: string): Promise<R> {
    const rule = await this.#shape.find(queries, id);
    if (rule === undefined || rule.deletedAt !== null) throw this.#unknown(id);
    return rule;
  }

  async #audit(queries: WriteQueries, { action, rule, editor, reason = null }: Deed<R>): Promise<void> {
    const { word, detail } = this.#shape;
    const why = reason === null ? {} : { reason };
    const said = { ...detail(rule), ...why };
    const event = { actor: editor.actor, action: `${word}.${action}`, target: rule.id, detail: said };
    await this.#deps.audit.record(event, queries);
  }

  #unknown(id: string): ApportionError {
    const { word } = this.#shape;
    return new ApportionError('not_found', `There is no ${word} ${id}.`, { hint: `GET /v1/${word}s lists them.` });
  }

  #taken(id: string): ApportionError {
    const { word } = this.#shape;
    return new ApportionError('conflict', `${id} exists.`, {
      param: 'id',
      hint: `Change it with PATCH /v1/${word}s/${id}, or leave id out.`,
    });
  }
}

type Amendment<R> = {
  readonly edit: (rule: R) => R;
  readonly editor: RuleEditor;
  /** Why, for the audit log. */
  readonly reason: string | null;
};

type Making<Q> = { readonly request: Q; readonly editor: RuleEditor; readonly revision: number };

type Changing<R, Q> = Making<Q> & { readonly before: R };

type Deed<R> = {
  readonly action: string;
  readonly rule: R;
  readonly editor: RuleEditor;
  readonly reason?: string | null;
};

/** A key is named as people know it and counted by its id. */
async function withKeyIds(queries: WriteQueries, scope: Scope): Promise<Scope> {
  return Promise.all(
    scope.map(async (condition) => {
      if (condition.on !== 'key' || condition.values.kind !== 'is') return condition;
      const key = await referencedKey(queries, condition.values.value);
      if (key.deletedAt !== null) throw unknownKey();
      return { on: 'key', values: { kind: 'is', value: key.id } } as const;
    }),
  );
}

function refuseDerived({ id, origin }: NamedRule, word: string): void {
  if (origin.kind === 'api') return;
  throw new ApportionError('conflict', `${id} belongs to ${origin.kind} ${origin.id}.`, {
    param: 'id',
    hint: `Change it there, with POST /${origin.kind}/update. A ${word} of its own is made with POST /v1/${word}s.`,
  });
}
