import { createHmac } from 'node:crypto';
import { type Dimension, type TagConflict, type TagSet } from '#terms';
import { classifyTag, MULTIPLE } from '../parse-tag.ts';
import { isStricter, type CompiledPolicy } from './compile-policy.ts';
import { detect } from './detect.ts';
import { HASH_HEX, keyMaskOf, maskOf } from './marks.ts';
import { distinct } from './normalize.ts';
import { listNames, refused, type Notes } from './notes.ts';
import { type DetectAction, type DetectedKind } from './tag-policy.ts';

const NAMED: Readonly<Record<DetectedKind, string>> = {
  email: 'an e-mail address',
  phone: 'a phone number',
  card: 'a card number',
  secret: 'a secret',
};

const DONE: Readonly<Record<Exclude<DetectAction, 'off' | 'reject'>, string>> = {
  warn: 'Send a stable id instead',
  hash: 'It was replaced by a keyed hash',
  mask: 'It was masked',
};

type Finding = { readonly action: DetectAction; readonly kind: DetectedKind; readonly places: Set<string> };

type Redacting = { readonly policy: CompiledPolicy; readonly hashKey: Buffer; readonly notes: Notes };

/**
 * Looks for personal data and secrets in every text of a call's tags, key names too, and replaces, tells or refuses them.
 * A replaced text is replaced everywhere, in the strings as sent as well: it is not in the entry.
 */
export function redact(tags: TagSet, redacting: Redacting): TagSet {
  const redactor = new Redactor(redacting);
  const { entity } = tags;
  const entityId = entity === null ? '' : redactor.text(entity.id, entity.type);
  const sessionId = tags.sessionId === null ? null : redactor.text(tags.sessionId, 'session_id');
  const sessionPath = tags.sessionPath === null ? null : redactor.path(tags.sessionPath, 'session_path');
  const traceId = tags.traceId === null ? null : redactor.text(tags.traceId, 'trace_id');
  const dimensions = redactDimensions(tags.dimensions, redactor);
  const labels = redactor.list(tags.labels, (label) => redactor.text(label, 'a label'));
  const paths = redactor.list(tags.paths, (path) => redactor.path(path, 'a path'));
  const conflicts = redactConflicts(tags.conflicts, redactor);
  const overflow = redactOverflow(tags.overflow, redactor);
  const sent = redactor.list(tags.sent, (text) => redactSent(text, redactor));
  if (!redactor.found) return tags;
  redactor.report();
  const safeEntity = entity === null ? null : { type: entity.type, id: entityId };
  const safe = { sessionId, sessionPath, traceId, dimensions, labels, paths, conflicts, overflow, sent };
  return { ...safe, entity: safeEntity, warnings: tags.warnings };
}

function redactDimensions(
  dimensions: ReadonlyMap<string, Dimension>,
  redactor: Redactor,
): ReadonlyMap<string, Dimension> {
  let changed: Map<string, Dimension> | null = null;
  for (const [key, dimension] of dimensions) {
    const safeKey = redactor.key(key);
    const value = redactor.text(dimension.value, safeKey);
    if (safeKey === key && value === dimension.value) continue;
    changed ??= new Map(dimensions);
    changed.set(key, { ...dimension, value });
    if (safeKey !== key) rename(changed, key, safeKey);
  }
  return changed ?? dimensions;
}

/** Two keys may be masked to one name; then neither value is the one. */
function rename(dimensions: Map<string, Dimension>, from: string, to: string): void {
  const moved = dimensions.get(from);
  if (moved === undefined) return;
  const there = dimensions.get(to);
  dimensions.delete(from);
  dimensions.set(to, there === undefined || there.value === moved.value ? moved : { ...moved, value: MULTIPLE });
}

function redactConflicts(conflicts: readonly TagConflict[], redactor: Redactor): readonly TagConflict[] {
  const safe = redactor.list(conflicts, (conflict) => {
    const key = redactor.key(conflict.key);
    const value = redactor.text(conflict.value, key);
    return key === conflict.key && value === conflict.value ? conflict : { ...conflict, key, value };
  });
  return safe === conflicts ? conflicts : distinct(safe);
}

function redactOverflow(overflow: ReadonlyMap<string, string>, redactor: Redactor): ReadonlyMap<string, string> {
  if (overflow.size === 0) return overflow;
  return new Map(Array.from(overflow, ([key, value]) => [redactor.key(key), redactor.text(value, redactor.key(key))]));
}

/** A string as sent falls apart as it did when it was read, so that its parts are replaced by the same texts. */
function redactSent(sent: string, redactor: Redactor): string {
  if (redactor.isClean(sent)) return sent;
  const tag = classifyTag(sent);
  if (tag?.kind === 'dimension') {
    const key = redactor.key(tag.key);
    return `${key}:${redactor.text(tag.value, key)}`;
  }
  return tag?.kind === 'path' ? redactor.path(tag.segments.join('/'), 'a path') : redactor.text(sent.trim(), 'a label');
}

class Redactor {
  readonly #policy: CompiledPolicy;
  readonly #hashKey: Buffer;
  readonly #notes: Notes;
  readonly #findings = new Map<DetectedKind, Finding>();
  /** One text stands in several places of a call. */
  readonly #hashes = new Map<string, string>();

  constructor({ policy, hashKey, notes }: Redacting) {
    this.#policy = policy;
    this.#hashKey = hashKey;
    this.#notes = notes;
  }

  get found(): boolean {
    return this.#findings.size > 0;
  }

  text(text: string, place: string): string {
    const finding = this.#find(text);
    if (finding === null) return text;
    finding.places.add(place);
    return this.#replace(text, finding, maskOf(finding.kind));
  }

  /** The mask of a key is a legal key. */
  key(key: string): string {
    const finding = this.#find(key);
    if (finding === null) return key;
    finding.places.add('a tag key');
    return this.#replace(key, finding, keyMaskOf(finding.kind));
  }

  path(path: string, place: string): string {
    if (this.isClean(path)) return path;
    const segments = path.split('/').map((segment) => this.text(segment, place));
    return this.text(segments.join('/'), place);
  }

  isClean(text: string): boolean {
    return detect(text).length === 0;
  }

  /** The same list when nothing in it changed; else without the repeats that a mask makes. */
  list<Item>(items: readonly Item[], change: (item: Item) => Item): readonly Item[] {
    let changed: Item[] | null = null;
    for (const [index, item] of items.entries()) {
      const after = change(item);
      if (after === item) continue;
      changed ??= [...items];
      changed[index] = after;
    }
    return changed === null ? items : [...new Set(changed)];
  }

  report(): void {
    const findings = [...this.#findings.values()].toSorted((left, right) => (left.kind < right.kind ? -1 : 1));
    const rejected = findings.find(({ action }) => action === 'reject');
    if (rejected !== undefined) {
      throw refused({
        level: this.#policy.detect[rejected.kind].level,
        what: `${listNames(rejected.places)} holds ${NAMED[rejected.kind]}, which detect.${rejected.kind} rejects`,
        fix: 'Send a stable id that names nobody instead.',
        param: 'tags',
      });
    }
    for (const { action, kind, places } of findings) {
      if (action === 'off' || action === 'reject') continue;
      this.#notes.say(`${listNames(places)} seems to hold ${NAMED[kind]}. ${DONE[action]}`);
    }
  }

  /** What is found is what asks for the strictest action. */
  #find(text: string): Finding | null {
    const kinds = detect(text);
    if (kinds.length === 0) return null;
    let kind: DetectedKind | null = null;
    let action: DetectAction = 'off';
    for (const one of kinds) {
      const wanted = this.#policy.detect[one].action;
      if (isStricter(wanted, action)) [kind, action] = [one, wanted];
    }
    if (kind === null) return null;
    const finding = this.#findings.get(kind) ?? { action, kind, places: new Set<string>() };
    this.#findings.set(kind, finding);
    return finding;
  }

  #replace(text: string, { action }: Finding, mask: string): string {
    if (action === 'mask') return mask;
    if (action !== 'hash') return text;
    const known = this.#hashes.get(text);
    if (known !== undefined) return known;
    const hash = `h_${createHmac('sha256', this.#hashKey).update(text).digest('hex').slice(0, HASH_HEX)}`;
    this.#hashes.set(text, hash);
    return hash;
  }
}
