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

/** Broken, they say that the journal is not what was written. */
const OF_THE_JOURNAL: ReadonlySet<RuleId> = new Set([
  'chain.intact',
  'journal.files',
  'journal.chain',
  'journal.sequence',
  'journal.mark',
]);

/** What else is found then follows from that, and its own advice would make the damaged journal the only truth there is. */
const OF_ITS_CONTENT = /^(?:entry|calls|store|reports|budgets)\./;

const KEEP_THE_STORE =
  'Change nothing yet, and keep the store: the journal is not as it was written, and the store may have what was. Compare both with a backup.';

/** Findings kept per rule and level. A ledger with a million broken entries needs no million lines, nor the memory for them. */
const KEPT_FINDINGS = 20;

type Collected = { readonly kept: Finding[]; readonly counts: Map<string, number> };

/** Collects what the checks find. */
export class Findings {
  readonly #collected: Collected;
  readonly #folder: string;

  constructor(within?: { readonly collected: Collected; readonly folder: string }) {
    this.#collected = within?.collected ?? { kept: [], counts: new Map() };
    this.#folder = within?.folder ?? '';
  }

  /** The same collection for a check that names files from another folder of the data directory. */
  within(folder: string): Findings {
    return new Findings({ collected: this.#collected, folder: `${this.#folder}${folder}/` });
  }

  fault(rule: RuleId, what: string, place: Place = {}): void {
    this.#add({ rule, level: 'fault', what, place, todo: RULES[rule].todo });
  }

  notice(rule: RuleId, what: string, place: Place = {}): void {
    this.#add({ rule, level: 'notice', what, place, todo: RULES[rule].todo });
  }

  #add(finding: Finding): void {
    const { kept, counts } = this.#collected;
    const name = `${finding.level} ${finding.rule}`;
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    if (count > KEPT_FINDINGS) return;
    const { file } = finding.place;
    const place = file === undefined ? finding.place : { ...finding.place, file: `${this.#folder}${file}` };
    kept.push({ ...finding, place });
  }

  /** Whether anything is wrong with what the journal says, or with what others make of it. */
  get doubtTheJournal(): boolean {
    return this.#collected.kept.some(({ level, rule }) => level === 'fault' && OF_ITS_CONTENT.test(rule));
  }

  /**
   * Of the journal's files first, then in the order they were found; the last of a rule that was found more often says how
   * often.
   */
  list(): readonly Finding[] {
    const { kept, counts } = this.#collected;
    const more = Array.from(counts).flatMap(([name, count]) => {
      const like = kept.find(({ level, rule }) => `${level} ${rule}` === name);
      if (like === undefined || count <= KEPT_FINDINGS) return [];
      return [{ ...like, place: {}, what: `${count - KEPT_FINDINGS} more like these` }];
    });
    const all = [...kept, ...more];
    const changed = all.filter(({ level, rule }) => level === 'fault' && OF_THE_JOURNAL.has(rule));
    if (changed.length === 0) return all;
    const rest = all.filter((finding) => !changed.includes(finding));
    return [
      ...changed,
      ...rest.map((finding) => (OF_ITS_CONTENT.test(finding.rule) ? { ...finding, todo: KEEP_THE_STORE } : finding)),
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
