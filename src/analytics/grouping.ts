import { SENDER, tagColumn, tagDimension, type ListedName, type SummedName } from '#ledger/store';
import { placeOf } from './measures.ts';
import type { TimeTold } from './parts.ts';
import type { Row } from './reader.ts';
import type { Source, SourceColumn } from './summed.ts';

/** The value of the row that holds what a limit left out; no caller can send it as a tag. */
export const OTHER = '(other)';

/** A breakdown as SQL, and how its rows are told to a client. */
export type Grouping = {
  /** What the columns below read; they are asked of the parts it is summed up to, see `fromParts`. */
  readonly source: Source;
  /** Of overlapping groups: the array whose items are the key. */
  readonly keys?: string;
  /** `Nullable(String)` or `String` or a date; NULL is what carries no such tag, `(other)` what is elsewhere. */
  readonly key: string;
  /** More columns per group. */
  readonly extras: readonly Extra[];
  /** A call may be in several rows: they do not add up to the total. */
  readonly overlapping: boolean;
  /** Of a breakdown by time, which is ordered by it instead of by cost. */
  readonly time: TimeTold;
  /** The value of a group, and its fields under their own names. `id` is null for `(untagged)`. */
  fields(id: string | null, row: Row): GroupFields;
};

/** What else is known of a group, as column `as`: an aggregate of the source's columns, or of a sum where something holds. */
export type Extra =
  | { readonly as: string; readonly aggregate: string; readonly of: string }
  | { readonly as: string; readonly sum: SummedName; readonly where: string };

/** `whole`: in one step. Or in two: what is known of each part, under the same name, and what that comes to. */
export type Stage = 'whole' | 'part' | 'merged';

/** Extras as columns, a comma before each. */
export function extraColumns(extras: readonly Extra[], stage: Stage): string {
  return extras
    .map((extra) => `, ${extraColumn(extra, stage)} AS ${stage === 'merged' ? 'of_' : ''}${extra.as}`)
    .join('');
}

function extraColumn(extra: Extra, stage: Stage): string {
  const isSum = 'sum' in extra;
  const [aggregate, of] = isSum
    ? ['sumIf', `part[${placeOf(extra.sum)}], ${extra.where}`]
    : [extra.aggregate, extra.of];
  if (stage === 'part') return `${aggregate}State(${of})`;
  const found = stage === 'merged' ? `${aggregate}Merge(${extra.as})` : `${aggregate}(${of})`;
  return isSum ? `toString(${found})` : found;
}

export type GroupFields = { readonly value: string; readonly [name: string]: unknown };

/** The value of a dimension of its own, as column `g`. */
export function valueOf(dimension: string, entry: string, more: readonly SourceColumn[] = []): Source {
  return { dimension, columns: [{ as: 'g', entry, sum: 'value' }, ...more] };
}

/** The values of a tag, as column `g`. */
export function tagValues(key: string): Source {
  return valueOf(tagDimension(key), tagColumn(key));
}

export const SESSION = valueOf('session', "nullIf(session_id, '')");

/** The values of a list that entries have, as column `g`: null for an entry that has none. */
export function listOf(listed: ListedName): Source {
  return { dimension: listed, listed, columns: [{ as: 'g', entry: 'value', sum: 'value' }] };
}

/** Lists of which is known who sends them. */
export type SentList = 'tag_key' | 'label' | 'root' | 'untagged';

/** The same by the key that sent them, as `key_id`, `key_name`, `key_owner`. */
export function sentList(listed: SentList): Source {
  const { dimension, columns } = listOf(listed);
  const sender = Object.entries(SENDER).map(([name, sql]) => ({ as: `key_${name}`, entry: sql, sum: sql }));
  return { dimension, listed, columns: [...columns, ...sender] };
}

/** Labels and paths, as column `label_set`. */
export const LABEL_SET: Source = {
  dimension: 'label_set',
  columns: [{ as: 'label_set', entry: 'label_set', sum: 'assumeNotNull(value)' }],
};

export const PARTITION = { extras: [], overlapping: false, time: 'none' } as const;

/** The items of an array; one of `otherwise` for an empty one. An entry is in the group of each. */
export function each(items: string, otherwise: string): Required<Pick<Grouping, 'key' | 'keys'>> {
  const keys = `if(empty(${items}), CAST([${otherwise}], 'Array(Nullable(String))'), CAST(${items}, 'Array(Nullable(String))'))`;
  return { keys, key: `arrayJoin(${keys})` };
}
