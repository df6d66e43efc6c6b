import { RULES, type RuleId } from './rules.ts';

/** Where something was found, as far as it is known. */
export type Place = {
  /** From the data directory. */
  readonly file?: string;
  /** Bytes from the start of the file. */
  readonly offset?: number;
  readonly seq?: number;
  readonly entryId?: string;
};

/** `fault`: a rule is broken. `notice`: nothing is wrong, but somebody should know. */
export type Level = 'fault' | 'notice';

export type Finding = {
  readonly rule: RuleId;
  readonly level: Level;
  readonly what: string;
  readonly place: Place;
  readonly todo: string;
};

/** Findings kept per rule and level. A ledger with a million broken entries needs no million lines, nor the memory for them. */
const KEPT_FINDINGS = 20;

/** Collects what the checks find. */
export class Findings {
  readonly #kept: Finding[] = [];
  readonly #counts = new Map<string, number>();

  fault(rule: RuleId, what: string, place: Place = {}): void {
    this.#add({ rule, level: 'fault', what, place, todo: RULES[rule].todo });
  }

  notice(rule: RuleId, what: string, place: Place = {}): void {
    this.#add({ rule, level: 'notice', what, place, todo: RULES[rule].todo });
  }

  #add(finding: Finding): void {
    const name = `${finding.level} ${finding.rule}`;
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    if (count <= KEPT_FINDINGS) this.#kept.push(finding);
  }

  /** In the order they were found; the last of a rule that was found more often says how often. */
  list(): readonly Finding[] {
    const more = Array.from(this.#counts, ([name, count]) => ({ name, count })).filter(
      ({ count }) => count > KEPT_FINDINGS,
    );
    return [
      ...this.#kept,
      ...more.flatMap(({ name, count }) => {
        const like = this.#kept.find(({ level, rule }) => `${level} ${rule}` === name);
        return like === undefined ? [] : [{ ...like, place: {}, what: `${count - KEPT_FINDINGS} more like these` }];
      }),
    ];
  }
}

/** `journal/0000000001.log at offset 57, entry 3 (call_….1.attempt.0)` */
export function formatPlace({ file, offset, seq, entryId }: Place): string {
  const where = file === undefined ? '' : offset === undefined ? file : `${file} at offset ${offset}`;
  const which = seq === undefined ? '' : `entry ${seq}`;
  const id = entryId === undefined ? '' : seq === undefined ? entryId : ` (${entryId})`;
  return [where, `${which}${id}`].filter((part) => part !== '').join(', ');
}
