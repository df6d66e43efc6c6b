import { agedOut } from '#analytics';
import { createHash } from 'node:crypto';
import type { AdjustedDimensions, AdjustmentSubject } from '#ledger';
import type { TimestampMs } from '#std';
import { readBodyTags, resolveTags, type TagRules } from '#tags';
import { ApportionError } from '#terms';
import type { AdjustmentAbout, AdjustmentRequest } from './adjustment-request.ts';
import { entriesOfCall, withStandings } from './entry-standings.ts';
import type { JobDeps } from './job-deps.ts';

type Free = AdjustmentAbout & { readonly kind: 'dimensions' };

/** A key as reports name it. */
export type AdjustedKey = AdjustedDimensions['key'];

export type AdjustmentDeps = JobDeps & {
  /** A key by id, alias or token; rejects with `not_found`. */
  readonly key: (reference: string) => Promise<AdjustedKey>;
  readonly tagRules: TagRules;
};

/** Finds what an adjustment is about. Throws `not_found`, `conflict` or the error of a tag. */
export function subjectOf(deps: AdjustmentDeps, request: AdjustmentRequest): Promise<AdjustmentSubject> {
  const { about } = request;
  return about.kind === 'call' ? entrySubject(deps, about.id) : freeSubject(deps, request, about);
}

async function entrySubject(deps: AdjustmentDeps, id: string): Promise<AdjustmentSubject> {
  const reading = { store: deps.store, asOf: deps.store.asOf() };
  const [callId = ''] = id.split('.');
  const entries = await entriesOfCall(reading, callId);
  const attempts = entries.filter(({ kind }) => kind === 'attempt');
  const named = entries.find(({ entryId }) => entryId === id);
  const subject = named === undefined || named.kind === 'attempt' ? id : named.corrects;
  const entry = id === callId ? attempts.at(-1) : attempts.find(({ entryId }) => entryId === subject);
  if (entry === undefined) {
    throw new ApportionError('not_found', `There is no call "${id}" to adjust.`, {
      param: id === callId ? 'call_id' : 'entry_id',
      hint: `Give call_id (call_…) or an entry_id, as GET /v1/events lists them.${agedOut(deps, 'Calls')}`,
    });
  }
  const [stood] = await withStandings(reading, [entry]);
  if (stood === undefined || stood.standing.cost === null) {
    throw new ApportionError('conflict', `What ${entry.callId} cost is not known, so there is nothing to adjust.`, {
      param: 'call_id',
      hint: `Say what it cost first: POST /v1/events/${entry.callId}/resolve.`,
    });
  }
  const before = entries.filter(({ kind, corrects }) => kind === 'adjustment' && corrects === entry.entryId);
  return { kind: 'entry', entry, n: before.length + 1 };
}

async function freeSubject(
  deps: AdjustmentDeps,
  { idempotencyKey }: AdjustmentRequest,
  about: Free,
): Promise<AdjustmentSubject> {
  const key = about.key === '' ? NO_KEY : await keyOf(deps, about.key);
  const team = about.team ?? key.team;
  const now = deps.clock.now();
  return {
    kind: 'free',
    id: freeId(idempotencyKey),
    effectiveAt: effectiveAt(about, now),
    dimensions: {
      tags: tagsOf(deps, about, team),
      key: { ...key, team },
      provider: about.provider,
      model: about.model,
    },
  };
}

const NO_KEY: AdjustedKey = { id: '', name: '', team: '', owner: '' };

const ID_CHARS = 32;

/** The same key is the same id, so that the journal itself refuses a second entry while it remembers the first. */
function freeId(idempotencyKey: string): string {
  return `adj_${createHash('sha256').update(idempotencyKey).digest('hex').slice(0, ID_CHARS)}`;
}

async function keyOf(deps: AdjustmentDeps, reference: string): Promise<AdjustedKey> {
  try {
    return await deps.key(reference);
  } catch (error) {
    if (!(error instanceof ApportionError) || error.code !== 'not_found') throw error;
    throw new ApportionError('not_found', `There is no key "${reference}".`, {
      param: 'key_id',
      hint: 'Name a key by its id or its alias: GET /key/list.',
      cause: error,
    });
  }
}

/** Reports begin with 1970, in whatever zone their days are. */
const FIRST = Date.UTC(1970, 0, 2);

function effectiveAt({ effectiveAt: at }: Free, now: TimestampMs): TimestampMs {
  if (at === null) return now;
  if (at >= FIRST && at <= now) return at;
  const where = at > now ? 'ahead, where no report looks yet' : 'before 1970-01-02, where no report looks';
  throw new ApportionError('invalid_field', `effective_at: it lies ${where}.`, {
    param: 'effective_at',
    hint: 'Give a day or an instant that has begun, or leave it out for now.',
  });
}

function tagsOf(
  { tagRules: rules }: AdjustmentDeps,
  { entity, tags, labels }: Free,
  keyTeam: string,
): AdjustedDimensions['tags'] {
  const fields: Record<string, string> = {};
  if (entity !== null) {
    fields['entity_type'] = JSON.stringify(entity.type);
    fields['entity_id'] = JSON.stringify(entity.id);
  }
  if (tags !== undefined) fields['tags'] = JSON.stringify(tags);
  if (labels.length > 0) fields['request_tags'] = JSON.stringify(labels);
  try {
    return resolveTags(new Map([['body', readBodyTags(fields, rules).declaration]]), { keyTeam, rules });
  } catch (error) {
    throw error instanceof ApportionError ? aboutLabels(error) : error;
  }
}

/** Labels are read as FastRouter's `request_tags`, a name that nobody sent here. */
function aboutLabels({ code, message, param, hint }: ApportionError): ApportionError {
  const named = (text: string): string => text.replaceAll('request_tags', 'labels');
  return new ApportionError(code, named(message), {
    ...(param === null ? {} : { param: named(param) }),
    ...(hint === null ? {} : { hint: named(hint) }),
  });
}
