import { type TimestampMs } from '#std';
import { type Admission, type Correction, type Reserve } from './index.ts';
import { limitAt, type Budget } from './budget.ts';
import { type Condition, type ScopedCall } from './scope.ts';
import { reachMs, windowAt } from './window.ts';

type Post = { readonly call: ScopedCall; readonly at: TimestampMs; readonly amount: bigint };

type Held = { readonly wanted: Reserve; inDoubt: boolean };

/** The book without counters and without an index: it adds up everything that ever happened, each time. */
export class NaiveBook {
  budgets: readonly Budget[] = [];
  readonly posts: Post[] = [];
  readonly #held = new Map<string, Held>();

  reserve(wanted: Reserve): Admission['kind'] {
    const refusing = this.budgets.filter((budget) => this.#isIn(budget, wanted) && !this.#fits(budget, wanted));
    const enforced = refusing.filter(({ mode, action }) => mode !== 'observe' && action.kind !== 'warn');
    if (enforced.length > 0) return 'refused';
    this.#held.set(wanted.id, { wanted, inDoubt: false });
    return 'admitted';
  }

  settle(id: string, cost: bigint): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#held.delete(id);
    this.posts.push({ call: held.wanted.call, at: held.wanted.at, amount: cost });
  }

  markInDoubt(id: string): void {
    const held = this.#held.get(id);
    if (held !== undefined) held.inDoubt = true;
  }

  correct({ call, delta, effectiveAt }: Correction): void {
    this.posts.push({ call, at: effectiveAt, amount: delta });
  }

  #isIn(budget: Budget, { call, at }: Reserve): boolean {
    const isDated = (one: Budget): boolean =>
      (one.effectiveFrom === null || one.effectiveFrom <= at) && (one.effectiveTo === null || at < one.effectiveTo);
    if (!isDated(budget) || instanceIn(budget, call) === undefined) return false;
    return budget.scope.every((condition) => {
      if (condition.on === 'label' || condition.values.kind !== 'unlisted') return true;
      const own = this.budgets.filter(({ scope: [one, ...more] }) => {
        if (one === undefined || one.on === 'label' || more.length > 0 || one.values.kind !== 'is') return false;
        return nameOf(one) === nameOf(condition);
      });
      return !own.some((one) => isDated(one) && instanceIn(one, call) !== undefined);
    });
  }

  /** What counts for a budget and the instance a call is of: spent, then held. */
  #sums(budget: Budget, { call, at }: Reserve): { readonly spent: bigint; readonly held: bigint } {
    const instance = instanceIn(budget, call);
    const now = windowAt(budget.window, at).start;
    const counts = (other: ScopedCall, then: TimestampMs): boolean => {
      const start = windowAt(budget.window, then).start;
      return start <= now && start >= now - reachMs(budget.window) && instanceIn(budget, other) === instance;
    };
    let spent = 0n;
    for (const post of this.posts) if (counts(post.call, post.at)) spent += post.amount;
    let held = 0n;
    for (const { wanted, inDoubt } of this.#held.values()) {
      const amounts = [wanted.bound, wanted.expected].filter((amount) => amount !== null);
      const most = amounts[0] ?? 0n;
      const likely = amounts.at(-1) ?? 0n;
      if (counts(wanted.call, wanted.at)) held += inDoubt || budget.mode === 'strict' ? most : likely;
    }
    return { spent, held };
  }

  #fits(budget: Budget, wanted: Reserve): boolean {
    if (wanted.bound === 0n) return true;
    const { spent, held } = this.#sums(budget, wanted);
    const room = limitAt(budget, wanted.at) - (spent < 0n ? 0n : spent) - held;
    const need = budget.mode === 'strict' ? wanted.bound : (wanted.expected ?? wanted.bound);
    if (need === null) return budget.mode !== 'strict' && room > 0n;
    return room > 0n && need <= room;
  }

  /** What the ledger would say of a budget that was not counted before. */
  spentBy(budget: Budget): ReadonlyMap<string, { instance: readonly string[]; start: number; spent: bigint }> {
    const sums = new Map<string, { instance: readonly string[]; start: number; spent: bigint }>();
    for (const { call, at, amount } of this.posts) {
      const instance = instanceIn(budget, call);
      if (instance === undefined) continue;
      const { start } = windowAt(budget.window, at);
      const key = `${start} ${instance}`;
      const before = sums.get(key)?.spent;
      sums.set(key, { instance: JSON.parse(instance) as string[], start, spent: (before ?? 0n) + amount });
    }
    return sums;
  }

  /** Spent, and held or in doubt, by each budget for the instance of a call. */
  totals({ call, at }: Reserve): readonly string[] {
    return this.budgets
      .filter((budget) => this.#isIn(budget, { ...NOTHING, call, at }))
      .map((budget) => {
        const { spent, held } = this.#sums(budget, { ...NOTHING, call, at });
        return `${budget.id} ${instanceIn(budget, call)} ${spent} ${held}`;
      });
  }
}

const NOTHING = { id: '', bound: null, expected: null };

function nameOf(condition: Exclude<Condition, { on: 'label' }>): string {
  if (condition.on === 'dimension') return `dimension ${condition.key}`;
  return condition.on === 'entity' ? `dimension ${condition.type}` : condition.on;
}

/** The values of the wildcards as JSON, in the order of the names; undefined when the call is not in the scope. */
function instanceIn({ scope, counts }: Budget, call: ScopedCall): string | undefined {
  const values: [string, string][] = [];
  for (const condition of scope) {
    if (condition.on === 'label') {
      const labels = [...call.tags.labels, ...call.tags.paths];
      if (counts !== 'declared' || !labels.some((one) => `${one}/`.startsWith(`${condition.label}/`))) return undefined;
      continue;
    }
    const isTag = condition.on === 'dimension' || condition.on === 'entity';
    const tag = isTag
      ? call.tags.dimensions.get(condition.on === 'entity' ? condition.type : condition.key)
      : undefined;
    const allowed = { declared: ['declared', 'default', 'locked'], proven: ['default', 'locked'], locked: ['locked'] };
    const said = isTag ? (allowed[counts].includes(tag?.provenance ?? '') ? tag?.value : '') : call[condition.on];
    const value = said ?? '';
    const { values: wanted } = condition;
    if ((wanted.kind === 'none') !== (value === '')) return undefined;
    if (wanted.kind === 'is' && !(isTag ? `${value}/`.startsWith(`${wanted.value}/`) : value === wanted.value)) {
      return undefined;
    }
    if (wanted.kind === 'each' || wanted.kind === 'unlisted') values.push([nameOf(condition), value]);
  }
  return JSON.stringify(values.toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([, value]) => value));
}
