import { type Clock } from '#std';
import { ApportionError } from '#terms';
import { ITSELF, type AuditLog } from '../audit-log.ts';
import { type ControlWrites, type WriteQueries } from '../control-writes.ts';
import { type ControlDatabase } from '../database.ts';
import { type SubjectKind, type SubjectName } from './subject.ts';
import {
  changeSubject,
  dropSubject,
  dropSubjects,
  joinRules,
  NO_PROFILE,
  rulesFor,
  type Occasion,
  type RuleChange,
} from './subject-rules.ts';
import { type PlanRequest, type SubjectRequest } from './subject-request.ts';
import { effectiveTerms, mergeTerms, NO_TERMS, type StatedTerms, type SubjectTerms } from './subject-terms.ts';
import {
  findPlan,
  findSubject,
  listPlans,
  listSubjects,
  listSubjectsOfPlan,
  putPlan,
  removePlan,
  type BudgetPlan,
  type SubjectProfile,
  type SubjectRecord,
} from './subject-table.ts';

export type SubjectsDeps = {
  readonly database: ControlDatabase;
  readonly writes: ControlWrites;
  readonly audit: AuditLog;
  readonly clock: Clock;
};

type Named = { readonly kind: 'customer' | 'user'; readonly id: string };

/** Customers and users that have a record, and what LiteLLM's fields say of every subject's budgets and limits. */
export class Subjects {
  readonly #deps: SubjectsDeps;

  constructor(deps: SubjectsDeps) {
    this.#deps = deps;
  }

  /** A customer or a user; throws where there is one of that id. */
  async create(kind: Named['kind'], request: SubjectRequest, actor: string = ITSELF): Promise<SubjectRecord> {
    return this.#write(actor, async (queries, occasion) => {
      if ((await findSubject(queries, { kind, id: request.id })) !== undefined) throw taken(kind, request.id);
      return this.#said(queries, { kind, request, action: 'create' }, occasion);
    });
  }

  /** What is absent stays; one that was not there is made, as LiteLLM does where it can be. */
  async update(kind: Named['kind'], request: SubjectRequest, actor: string = ITSELF): Promise<SubjectRecord> {
    return this.#write(actor, async (queries, occasion) => {
      if ((await findSubject(queries, { kind, id: request.id })) === undefined) throw unknownSubject(kind, request.id);
      return this.#said(queries, { kind, request, action: 'update' }, occasion);
    });
  }

  /** A customer that only calls name gets a record with it. */
  async setBlocked(
    ids: readonly string[],
    blocked: Blocking,
    actor: string = ITSELF,
  ): Promise<readonly SubjectRecord[]> {
    const subjects: SubjectRecord[] = [];
    for (const id of new Set(ids)) {
      subjects.push(
        await this.#write(actor, async (queries, occasion) => {
          const request = { id, profile: { blocked: blocked === 'block' }, stated: {}, raise: undefined };
          return this.#said(queries, { kind: 'customer', request, action: blocked }, occasion);
        }),
      );
    }
    return subjects;
  }

  /** All or none; their budgets and limits go with them. */
  async delete(kind: Named['kind'], ids: readonly string[], actor: string = ITSELF): Promise<void> {
    const { writes, audit } = this.#deps;
    await writes.write(async (queries, revision) => {
      const names = Array.from(new Set(ids), (id) => ({ kind, id }));
      for (const name of names) {
        if ((await findSubject(queries, name)) === undefined) throw unknownSubject(kind, name.id);
        await audit.record({ actor, action: `${kind}.delete`, target: name.id, detail: {} }, queries);
      }
      return { answer: null, ...(await dropSubjects(queries, names, this.#occasion(actor, revision))) };
    });
  }

  async infoOf(kind: Named['kind'], id: string): Promise<SubjectRecord> {
    const subject = await findSubject(this.#deps.database, { kind, id });
    if (subject === undefined) throw unknownSubject(kind, id);
    return subject;
  }

  /** Oldest first. */
  async list(kind: SubjectKind): Promise<SubjectRecord[]> {
    return listSubjects(this.#deps.database, kind);
  }

  /** What holds for each subject of a kind that has terms, its plan's included. */
  async termsOf(kind: SubjectKind): Promise<ReadonlyMap<string, SubjectTerms>> {
    const plans = new Map((await this.plans()).map(({ id, terms }) => [id, terms]));
    return new Map(
      (await this.list(kind)).map(({ id, terms }) => [
        id,
        effectiveTerms(terms, terms.planId === null ? null : (plans.get(terms.planId) ?? null)),
      ]),
    );
  }

  /** Budget and limits of a registered tag. */
  async stateTag(name: string, stated: StatedTerms, actor: string = ITSELF): Promise<void> {
    if (Object.values(stated).every((value) => value === undefined)) return;
    await this.#write(actor, async (queries, occasion) => {
      const change = { kind: 'tag', id: name, label: name, stated } as const;
      const { subject, ...rules } = await changeSubject(queries, change, occasion);
      await this.#audit(queries, { subject, action: 'update', actor });
      return { subject, rules };
    });
  }

  async dropTag(name: string, actor: string = ITSELF): Promise<void> {
    await this.#deps.writes.write(async (queries, revision) => ({
      answer: null,
      ...(await dropSubject(queries, { kind: 'tag', id: name }, this.#occasion(actor, revision))),
    }));
  }

  async plans(): Promise<BudgetPlan[]> {
    return listPlans(this.#deps.database);
  }

  async plan(id: string): Promise<BudgetPlan> {
    const plan = await findPlan(this.#deps.database, id);
    if (plan === undefined) throw unknownPlan(id);
    return plan;
  }

  /** Makes or changes a plan; holds at once for all that have it. */
  async putPlan(request: PlanRequest, is: 'new' | 'change', actor: string = ITSELF): Promise<BudgetPlan> {
    const { writes, audit } = this.#deps;
    return writes.write(async (queries, revision) => {
      const before = await findPlan(queries, request.id);
      if (is === 'new' && before !== undefined) throw planTaken(request.id);
      if (is === 'change' && before === undefined) throw unknownPlan(request.id);
      const occasion = this.#occasion(actor, revision);
      const plan: BudgetPlan = {
        id: request.id,
        terms: mergeTerms(before?.terms ?? NO_TERMS, request.stated),
        createdAt: before?.createdAt ?? occasion.now,
        updatedAt: occasion.now,
        createdBy: before?.createdBy ?? actor,
        updatedBy: actor,
      };
      await putPlan(queries, plan);
      const detail = { ...plan.terms };
      await audit.record({ actor, action: `budget_plan.${is}`, target: plan.id, detail }, queries);
      const changes: RuleChange[] = [];
      for (const subject of await listSubjectsOfPlan(queries, plan.id)) {
        changes.push(await rulesFor(queries, { subject, label: labelOf(subject) }, occasion));
      }
      return { answer: plan, ...joinRules(changes) };
    });
  }

  async deletePlan(id: string, actor: string = ITSELF): Promise<BudgetPlan> {
    const { writes, audit } = this.#deps;
    return writes.write(async (queries) => {
      const plan = await findPlan(queries, id);
      if (plan === undefined) throw unknownPlan(id);
      const [user] = await listSubjectsOfPlan(queries, id);
      if (user !== undefined) throw planInUse(id, user);
      await removePlan(queries, id);
      await audit.record({ actor, action: 'budget_plan.delete', target: id, detail: {} }, queries);
      return { answer: plan };
    });
  }

  async #said(queries: WriteQueries, { kind, request, action }: Saying, occasion: Occasion): Promise<Said> {
    const { id, stated, raise } = request;
    const before = await findSubject(queries, { kind, id });
    const profile = { ...(before?.profile ?? NO_PROFILE), ...request.profile };
    const label = profile.alias ?? id;
    const change = { kind, id, label, stated, profile, raise };
    const { subject, ...rules } = await changeSubject(queries, change, occasion);
    await this.#audit(queries, { subject, action, actor: occasion.actor });
    return { subject, rules };
  }

  async #audit(queries: WriteQueries, { subject, action, actor }: Deed): Promise<void> {
    const { kind, id, profile, terms } = subject;
    const event = { actor, action: `${kind}.${action}`, target: id, detail: { ...profile, ...terms } };
    await this.#deps.audit.record(event, queries);
  }

  async #write(
    actor: string,
    make: (queries: WriteQueries, occasion: Occasion) => Promise<Said>,
  ): Promise<SubjectRecord> {
    return this.#deps.writes.write(async (queries, revision) => {
      const { subject, rules } = await make(queries, this.#occasion(actor, revision));
      return { answer: subject, ...rules };
    });
  }

  #occasion(actor: string, revision: number): Occasion {
    return { actor, now: this.#deps.clock.now(), revision };
  }
}

type Blocking = 'block' | 'unblock';

type Said = { readonly subject: SubjectRecord; readonly rules: RuleChange };

type Saying = { readonly kind: Named['kind']; readonly request: SubjectRequest; readonly action: string };

type Deed = { readonly subject: SubjectName & SubjectRecord; readonly action: string; readonly actor: string };

function labelOf({ id, profile }: { readonly id: string; readonly profile: SubjectProfile }): string {
  return profile.alias ?? id;
}

function unknownSubject(kind: Named['kind'], id: string): ApportionError {
  return new ApportionError('not_found', `There is no ${kind} ${id}.`, {
    param: 'user_id',
    hint: `POST /${kind}/new makes one; what one without a record spent is in GET /v1/analytics/costs.`,
  });
}

function taken(kind: Named['kind'], id: string): ApportionError {
  return new ApportionError('invalid_field', `A ${kind} ${id} exists.`, {
    param: 'user_id',
    hint: `Change it with POST /${kind}/update.`,
  });
}

function unknownPlan(id: string): ApportionError {
  return new ApportionError('not_found', `There is no budget ${id}.`, {
    param: 'budget_id',
    hint: 'GET /budget/list lists them. Budgets made with POST /v1/budgets are in GET /v1/budgets.',
  });
}

function planTaken(id: string): ApportionError {
  return new ApportionError('invalid_field', `A budget ${id} exists.`, {
    param: 'budget_id',
    hint: 'Change it with POST /budget/update.',
  });
}

function planInUse(id: string, { kind, id: name }: SubjectName): ApportionError {
  return new ApportionError('conflict', `${id} holds for ${kind} ${name}.`, {
    param: 'id',
    hint: 'Take it from all that have it first, with "budget_id": null, or change it with POST /budget/update.',
  });
}
