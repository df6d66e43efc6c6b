/** Where a tag came from, strongest first. `locked` beats what the caller says; `default` only fills gaps. */
export const PROVENANCES = ['locked', 'declared', 'default'] as const;

export type Provenance = (typeof PROVENANCES)[number];

/** The places tags are read from, strongest first (DESIGN section 6, rule 2). */
export const TAG_SOURCES = [
  'key_lock',
  'team_lock',
  'body',
  'header',
  'key_default',
  'team_default',
  'deployment_default',
] as const;

export type TagSource = (typeof TAG_SOURCES)[number];

export const ENTITY_TYPES = ['customer', 'team', 'project', 'employee'] as const;

export type Entity = { readonly type: string; readonly id: string };

/** A dimension's value for one call. */
export type Dimension = { readonly value: string; readonly provenance: Provenance };

/** A value that lost against a stronger source, kept for the record. */
export type TagConflict = { readonly key: string; readonly value: string; readonly source: TagSource };

/**
 * What a call is attributed to: resolved once, and the same for admission, ledger and reports.
 * Dimensions partition (one value per key); labels and paths overlap (a call may carry many).
 */
export type TagSet = {
  /** The primary entity: `entity_type`/`entity_id`, else the first of customer, project, team, employee that is set. */
  readonly entity: Entity | null;
  /** Without a session of its own a call belongs to the session of its trace. */
  readonly sessionId: string | null;
  /** Where in its run the call stands, as a path of steps (`plan/search`). */
  readonly sessionPath: string | null;
  /** 32 hex digits where it came from W3C `traceparent`; any text where a vendor's header gave it. */
  readonly traceId: string | null;
  /** Every `key:value` tag, the entity dimensions included, by key. */
  readonly dimensions: ReadonlyMap<string, Dimension>;
  readonly labels: readonly string[];
  /** Paths with `/` between segments, no empty segment. */
  readonly paths: readonly string[];
  readonly conflicts: readonly TagConflict[];
  /** What was sent where a policy put `(other)` because a key has too many values. */
  readonly overflow: ReadonlyMap<string, string>;
  /** The strings as the caller sent them, then the inherited ones, unchanged and without repeats. */
  readonly sent: readonly string[];
  /** Harmless oddities, told to the caller in an answer header. */
  readonly warnings: readonly string[];
};

/** True where `value` is `prefix` or lies below it, by whole segments: `eng/search` is under `eng`, `engine` is not. */
export function isUnder(value: string, prefix: string): boolean {
  return value.startsWith(prefix) && (value.length === prefix.length || value.charCodeAt(prefix.length) === SLASH);
}

const SLASH = 0x2f;
