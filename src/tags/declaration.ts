import { ApportionError, ENTITY_TYPES, LIMITS, type Entity } from '#terms';
import { checkKey, checkText, checkValue, overLimit, parseTag } from './parse-tag.ts';

/** What one source says, checked, before sources are weighed against each other. */
export type TagDeclaration = {
  readonly entity: Entity | null;
  /** The first one counts; others are kept as conflicts. */
  readonly sessionIds: readonly string[];
  /** Distinct values by key, in the order seen. Two values make the dimension `(multiple)`. */
  readonly dimensions: ReadonlyMap<string, readonly string[]>;
  readonly labels: readonly string[];
  readonly paths: readonly string[];
  /** The strings as they came, unchanged and without repeats; tags of an object as `key:value`. */
  readonly sent: readonly string[];
  /** ASCII, with field paths but never values: they go into an answer header. */
  readonly warnings: readonly string[];
};

export const NO_TAGS: TagDeclaration = {
  entity: null,
  sessionIds: [],
  dimensions: new Map(),
  labels: [],
  paths: [],
  sent: [],
  warnings: [],
};

/** Collects one source's tags; each `add…` checks grammar, limits and reserved names. */
export class DeclarationDraft {
  #entity: Entity | null = null;
  readonly #sessionIds: string[] = [];
  readonly #dimensions = new Map<string, string[]>();
  readonly #labels = new Set<string>();
  readonly #paths = new Set<string>();
  readonly #sent = new Set<string>();
  readonly #warnings: string[] = [];
  #tagCount = 0;

  addTag(text: string, at: string): void {
    const tag = parseTag(text, at);
    if (tag === null) {
      this.warn(`${at} is empty and was left out`);
      return;
    }
    this.#sent.add(text);
    switch (tag.kind) {
      case 'dimension':
        this.#setDimension(tag.key, tag.value, at);
        break;
      case 'path':
        this.#join(this.#paths, tag.segments.join('/'), at);
        break;
      case 'label':
        this.#join(this.#labels, tag.label, at);
        break;
    }
  }

  addDimension(key: string, text: string, at: string): void {
    checkKey(key, at);
    const value = text.trim();
    if (value === '') {
      this.warn(`${at} is empty and was left out`);
      return;
    }
    checkValue(value, at);
    this.#sent.add(`${key}:${text}`);
    this.#setDimension(key, value, at);
  }

  /** The first pair is the primary entity; a later one only sets the dimension of its type. */
  addEntity(entity: Entity, at: { type: string; id: string }): void {
    if (!ENTITY_TYPES.some((type) => type === entity.type)) {
      throw new ApportionError('invalid_entity', `${at.type}: unknown entity type.`, {
        param: at.type,
        hint: `Use one of ${ENTITY_TYPES.join(', ')}; anything else can be a tag.`,
      });
    }
    checkValue(entity.id, at.id);
    if (this.#entity === null) this.#entity = entity;
    else this.#setDimension(entity.type, entity.id, at.id);
  }

  addSession(text: string, at: string): void {
    const sessionId = text.trim();
    if (sessionId === '') {
      this.warn(`${at} is empty and was left out`);
      return;
    }
    checkText(sessionId, { at, maxChars: LIMITS.sessionIdChars });
    if (!this.#sessionIds.includes(sessionId)) this.#sessionIds.push(sessionId);
  }

  warn(warning: string): void {
    // As many as there can be tags: a body full of nulls must not build an endless header.
    if (this.#warnings.length < LIMITS.tagsPerCall) this.#warnings.push(warning);
  }

  finish(): TagDeclaration {
    return {
      entity: this.#entity,
      sessionIds: this.#sessionIds,
      dimensions: this.#dimensions,
      labels: Array.from(this.#labels),
      paths: Array.from(this.#paths),
      sent: Array.from(this.#sent),
      warnings: this.#warnings,
    };
  }

  #setDimension(key: string, value: string, at: string): void {
    const values = this.#dimensions.get(key);
    if (values === undefined) {
      this.#dimensions.set(key, [value]);
      this.#count(at);
    } else if (!values.includes(value)) {
      values.push(value);
      this.#count(at);
    }
  }

  #join(tags: Set<string>, tag: string, at: string): void {
    if (tags.has(tag)) return;
    tags.add(tag);
    this.#count(at);
  }

  #count(at: string): void {
    this.#tagCount += 1;
    if (this.#tagCount > LIMITS.tagsPerCall) {
      throw overLimit(at, `this is tag ${this.#tagCount}, the limit is ${LIMITS.tagsPerCall} different tags per call`);
    }
  }
}
