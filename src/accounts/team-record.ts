import { type TimestampMs } from '#std';

/** A team that has settings of its own. Keys may name a team that has no record: it then only has its name. */
export type TeamRecord = {
  /** What keys, entries and reports call the team: `key.team`, and the default of dimension `team`. */
  readonly id: string;
  readonly alias: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** All its keys are refused. */
  readonly blocked: boolean;
  readonly createdAt: TimestampMs;
  readonly deletedAt: TimestampMs | null;
  /** The control-plane revision of its last change. */
  readonly revision: number;
};
