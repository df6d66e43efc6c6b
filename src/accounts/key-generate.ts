import { distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { type TimestampMs } from '#std';
import { parseTag, readDefaultTags } from '#tags';
import { ApportionError, LIMITS } from '#terms';

/** What a new key shall be. */
export type KeyGenerateRequest = {
  readonly alias: string | null;
  /** Shown in reports when there is no alias. */
  readonly name: string | null;
  readonly team: string;
  readonly owner: string;
  readonly models: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly blocked: boolean;
  readonly expiry:
    | { readonly kind: 'never' }
    | { readonly kind: 'after'; readonly ms: number }
    | { readonly kind: 'at'; readonly time: TimestampMs };
};

const name = z.string().trim().min(1).max(LIMITS.tagValueChars);

const bodySchema = z.strictObject({
  key_alias: name.nullish(),
  key_name: name.nullish(),
  team_id: name.nullish(),
  user_id: name.nullish(),
  models: z.array(name).max(1000).nullish(),
  duration: z.string().nullish(),
  expires: z.iso.datetime({ offset: true }).nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  tags: z.array(z.string()).nullish(),
  blocked: z.boolean().nullish(),
});

type Body = z.infer<typeof bodySchema>;

/** LiteLLM fields that promise a limit. Accepting one without holding it would be a silent hole in a budget. */
const NOT_ENFORCED: ReadonlySet<string> = new Set([
  'max_budget',
  'soft_budget',
  'budget_id',
  'budget_duration',
  'budget_limits',
  'model_max_budget',
  'tpm_limit',
  'rpm_limit',
  'model_tpm_limit',
  'model_rpm_limit',
  'max_parallel_requests',
  'allowed_routes',
  'permissions',
  'guardrails',
  'enforced_params',
  'key_type',
]);

/** Reads the body of LiteLLM's `POST /key/generate`. Throws `invalid_field`, or a tag error for `metadata.tags`. */
export function parseKeyGenerate(body: unknown): KeyGenerateRequest {
  const fields = parseBody(withoutEmptyLimits(body ?? {}));
  const metadata = mergeTags(fields);
  // Default tags are checked here, where the person who wrote them is told; the ring reads them again.
  readDefaultTags(metadata);
  return {
    alias: fields.key_alias ?? null,
    name: fields.key_name ?? null,
    team: parseTeam(fields.team_id ?? ''),
    owner: fields.user_id ?? '',
    models: fields.models ?? [],
    metadata,
    blocked: fields.blocked ?? false,
    expiry: parseExpiry(fields),
  };
}

function withoutEmptyLimits(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const kept: [string, unknown][] = [];
  for (const [field, value] of Object.entries(body)) {
    if (!NOT_ENFORCED.has(field)) kept.push([field, value]);
    else if (!isEmpty(value)) {
      throw new ApportionError('invalid_field', `${field} cannot be set: this version does not enforce it.`, {
        param: field,
        hint: `Leave ${field} out; the key would not be limited by it.`,
      });
    }
  }
  return Object.fromEntries(kept);
}

/** Clients that send every field send `null`, `[]` or `{}` for "no limit". */
function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

function parseBody(body: unknown): Body {
  const result = bodySchema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue?.code === 'unrecognized_keys') throw unknownField(issue.keys[0] ?? '');
  const path = issue?.path.join('.') ?? '';
  const param = path === '' ? {} : { param: path };
  throw new ApportionError(
    'invalid_field',
    `${path === '' ? 'The body' : path}: ${issue?.message ?? 'invalid'}.`,
    param,
  );
}

function unknownField(field: string): ApportionError {
  const known = Object.keys(bodySchema.shape);
  const nearest = known.toSorted((left, right) => distance(field, left) - distance(field, right))[0] ?? '';
  const hint =
    distance(field, nearest) <= Math.max(2, nearest.length / 3)
      ? `Did you mean ${nearest}?`
      : `Known fields: ${known.join(', ')}.`;
  return new ApportionError('invalid_field', `Unknown field ${JSON.stringify(field)}.`, { param: field, hint });
}

/** LiteLLM takes a key's tags at the top level too, and keeps them in `metadata.tags`. */
function mergeTags({ tags, metadata }: Body): Record<string, unknown> {
  const kept = { ...metadata };
  if (tags === undefined || tags === null || tags.length === 0) return kept;
  const known = kept['tags'];
  if (known !== undefined && !Array.isArray(known)) {
    throw new ApportionError('invalid_field', 'tags and metadata.tags cannot be joined.', {
      param: 'metadata.tags',
      hint: 'Send the tags in one of the two.',
    });
  }
  return { ...kept, tags: Array.from(new Set([...(known ?? []), ...tags])) };
}

/** A key's team is the default of dimension `team`, so it must be a value that dimension can have. */
function parseTeam(team: string): string {
  const tag = parseTag(`team:${team}`, 'team_id');
  if (tag === null) return '';
  if (tag.kind === 'dimension') return tag.value;
  throw new ApportionError('invalid_field', 'team_id cannot begin with "//".', { param: 'team_id' });
}

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** A century: beyond it a time stamp means a typing error, and far beyond it stops being a date. */
const LONGEST_MS = 100 * 366 * 86_400_000;

function parseExpiry({ duration, expires }: Body): KeyGenerateRequest['expiry'] {
  const hasDuration = duration !== undefined && duration !== null;
  if (expires !== undefined && expires !== null) {
    if (hasDuration) {
      throw new ApportionError('invalid_field', 'Send duration or expires, not both.', { param: 'expires' });
    }
    return { kind: 'at', time: Date.parse(expires) as TimestampMs };
  }
  if (!hasDuration) return { kind: 'never' };
  const [, count = '', unit = ''] = /^(\d{1,9})([smhdw])$/.exec(duration) ?? [];
  const ms = Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  if (!(ms > 0 && ms <= LONGEST_MS)) {
    throw new ApportionError('invalid_field', 'duration is not a length of time.', {
      param: 'duration',
      hint: 'Write a number and s, m, h, d or w, such as "12h" or "30d"; leave it out for a key that does not expire.',
    });
  }
  return { kind: 'after', ms };
}
