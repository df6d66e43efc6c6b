import { NO_ATTRIBUTION, type Attribution } from '#accounts';
import type { RequestBody } from '#wires';
import type { Clock } from '#std';
import {
  applyPolicy,
  compilePolicy,
  explainTags,
  formatTagsHeader,
  READ_ONLY_BODY_FIELDS,
  readBodyTags,
  readHeaderTags,
  resolveTags,
  TAG_BODY_FIELDS,
  type BodyTags,
  type CardinalityGate,
  type CompiledPolicy,
  type TagDeclaration,
  type TagExplanation,
  type TagPolicy,
  type TagRules,
} from '#tags';
import type { TagSet, TagSource } from '#terms';
import type { Caller } from './identify.ts';

/** What the operator decides about tags, for the whole deployment. */
export type TaggingOptions = {
  readonly rules: TagRules;
  readonly policy: TagPolicy | null;
  readonly defaults: TagDeclaration;
  /** The data directory's secret, for keyed hashes of personal data. */
  readonly hashKey: Buffer;
  readonly gate: CardinalityGate;
  readonly clock: Clock;
};

export type Tagged = {
  readonly declared: BodyTags;
  readonly tags: TagSet;
  /** What the caller is told in answer headers: warnings, and the resolved tags if it asked for them. */
  readonly notes: Readonly<Record<string, string>>;
};

export type TagRequest = {
  readonly body: RequestBody;
  /** Each header with all its values (`headersDistinct`): a header sent twice is two values, not one with a comma. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
  readonly caller: Caller;
};

const READ_FIELDS = ['metadata', ...TAG_BODY_FIELDS, ...READ_ONLY_BODY_FIELDS];

/** A caller that wants to see how its tags were read sends this header with the value `tags`. */
const EXPLAIN_HEADER = 'x-apportion-explain';

/** The one place where a call's tags are read: all sources, then policy. Every route that costs money goes through it. */
export class Tagging {
  readonly #options: TaggingOptions;
  /** Compiled once per key as it stands: a changed key or team is a new object. */
  readonly #policies = new WeakMap<object, CompiledPolicy>();

  constructor(options: TaggingOptions) {
    this.#options = options;
  }

  tag(request: TagRequest): Tagged {
    const { declared, sources } = this.#read(request);
    const tags = this.#resolve(request.caller, sources, this.#options.gate);
    return { declared, tags, notes: notesOf(tags, request.headers) };
  }

  /** What `tag` would make of a request and why, without counting its values. */
  explain(request: TagRequest): {
    readonly tags: TagSet;
    readonly explanation: TagExplanation;
    readonly declared: BodyTags;
  } {
    const { declared, sources } = this.#read(request);
    const tags = this.#resolve(request.caller, sources, this.#options.gate.preview());
    return { tags, declared, explanation: explainTags(sources, tags) };
  }

  /** What the body of a batch's line says of tags, and what of it the provider gets. */
  readLine(body: RequestBody): LineTags {
    const fields = fieldsOf(body);
    if (Object.keys(fields).length === 0) return { fields: null, forwardMetadata: { action: 'keep' } };
    return { fields, forwardMetadata: readBodyTags(fields, this.#options.rules).forwardMetadata };
  }

  /** A line of a batch says it for itself, before what is said for all of them. @param fields as `readLine` gave them */
  tagLine(fields: Readonly<Record<string, string>>, batch: TagRequest): TagSet {
    const { rules, gate } = this.#options;
    const { sources } = this.#read(batch);
    const { declaration } = readBodyTags(fields, rules);
    const whole = sources.get('body') ?? null;
    const said = new Map(sources).set(
      'body',
      declaration.weaker === null ? { ...declaration, weaker: whole } : declaration,
    );
    return this.#resolve(batch.caller, said, gate);
  }

  #read({ body, headers, caller }: TagRequest): Read {
    const { rules, defaults } = this.#options;
    const declared = readBodyTags(fieldsOf(body), rules);
    const { own, team } = caller.attribution;
    return {
      declared,
      sources: new Map<TagSource, TagDeclaration>([
        ['key_lock', own.lockedTags],
        ['team_lock', team.lockedTags],
        ['body', declared.declaration],
        ['header', readHeaderTags(headers, rules)],
        ['key_default', own.defaultTags],
        ['team_default', team.defaultTags],
        ['deployment_default', defaults],
      ]),
    };
  }

  #resolve(caller: Caller, sources: ReadonlyMap<TagSource, TagDeclaration>, gate: CardinalityGate): TagSet {
    const { rules, clock, hashKey } = this.#options;
    const tags = resolveTags(sources, { keyTeam: caller.team, rules });
    return applyPolicy(tags, this.#policyOf(caller), { now: clock.now(), cardinality: gate, hashKey });
  }

  #policyOf(caller: Caller): CompiledPolicy {
    const known = this.#policies.get(caller.attribution);
    if (known !== undefined) return known;
    const { own, team } = caller.attribution;
    const policy = compilePolicy(
      { deployment: this.#options.policy, team: team.tagPolicy, key: own.tagPolicy },
      { team: caller.team, key: caller.id },
    );
    this.#policies.set(caller.attribution, policy);
    return policy;
  }
}

export type LineTags = {
  /** JSON texts by name; null where nothing is said. */
  readonly fields: Readonly<Record<string, string>> | null;
  readonly forwardMetadata: BodyTags['forwardMetadata'];
};

type Read = { readonly declared: BodyTags; readonly sources: ReadonlyMap<TagSource, TagDeclaration> };

/** What the key and its team say of tags. */
export type CallerAttribution = { readonly own: Attribution; readonly team: Attribution };

export const NO_CALLER_ATTRIBUTION: CallerAttribution = { own: NO_ATTRIBUTION, team: NO_ATTRIBUTION };

function fieldsOf({ bytes, members, form }: RequestBody): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const name of READ_FIELDS) {
    const member = members.get(name);
    if (member !== undefined) fields[name] = bytes.toString('utf8', member.valueStart, member.end);
    const field = form?.fields.get(name);
    if (field !== undefined) fields[name] = formValue(bytes.toString('utf8', field.valueStart, field.valueEnd));
  }
  return fields;
}

/** A form has only text: what looks like a JSON object, list or string is one, anything else is the text itself. */
function formValue(text: string): string {
  return /^\s*[[{"]/.test(text) ? text : JSON.stringify(text);
}

/** Long headers are refused by proxies; `POST /v1/tags/check` tells everything. */
const HEADER_CHARS = 4_000;

function notesOf(tags: TagSet, headers: TagRequest['headers']): Record<string, string> {
  const notes: Record<string, string> = {};
  if (tags.warnings.length > 0) notes['x-apportion-warnings'] = headerText(tags.warnings.join('; '));
  if (headers[EXPLAIN_HEADER]?.[0] === 'tags') notes['x-apportion-tags'] = headerText(formatTagsHeader(tags));
  return notes;
}

/** Header values are ASCII; anything else is percent-encoded. */
function headerText(text: string): string {
  const ascii = text.toWellFormed().replace(/[^\x20-\x7e]+/g, encodeURIComponent);
  return ascii.length <= HEADER_CHARS ? ascii : `${ascii.slice(0, HEADER_CHARS)}...`;
}
