import { ApportionError, LIMITS, type Entity } from '#terms';
import {
  checkKey,
  checkPath,
  checkTag,
  checkText,
  checkValue,
  classifyValueless,
  joinedLength,
  overLimit,
  parseTag,
  segmentsOf,
  type ParsedTag,
} from './parse-tag.ts';
import { DEFAULT_TAG_RULES, type TagRules } from './rules.ts';

/** What one source says, checked, before sources are weighed against each other. */
export type TagDeclaration = {
  readonly entity: Entity | null;
  /** The first one counts; others are kept as conflicts. */
  readonly sessionIds: readonly string[];
  /** Steps of a run, normalised like paths. As with session ids, the first one counts. */
  readonly sessionPaths: readonly string[];
  readonly traceIds: readonly string[];
  /** Who uses the caller's product (`user`, `safety_identifier`, …), in LiteLLM's order of preference. */
  readonly endUsers: readonly string[];
  /** Distinct values by key, in the order seen. Two values make the dimension `(multiple)`. */
  readonly dimensions: ReadonlyMap<string, readonly string[]>;
  readonly labels: readonly string[];
  readonly paths: readonly string[];
  /** The strings as they came, unchanged and without repeats; tags of an object as `key:value`. */
  readonly sent: readonly string[];
  /** ASCII, with field paths but never values: they go into an answer header. */
  readonly warnings: readonly string[];
  /** What the same source says with less weight: vendor headers below our own, `baggage` below both. */
  readonly weaker: TagDeclaration | null;
};

export const NO_TAGS: TagDeclaration = {
  entity: null,
  sessionIds: [],
  sessionPaths: [],
  traceIds: [],
  endUsers: [],
  dimensions: new Map(),
  labels: [],
  paths: [],
  sent: [],
  warnings: [],
  weaker: null,
};

/** Most calls say nothing of most things: one empty list serves them all. */
const NONE: readonly string[] = [];

/** Up to here comparing texts one by one is cheaper than hashing fresh strings; beyond, repeats must stay linear. */
const FEW_TEXTS = 16;

/** Texts in the order first seen, without repeats. */
class Texts {
  readonly list: string[] = [];
  #known: Set<string> | null = null;

  /** True when the text is new. */
  add(text: string): boolean {
    if (this.#known === null ? this.list.includes(text) : this.#known.has(text)) return false;
    this.list.push(text);
    if (this.#known !== null) this.#known.add(text);
    else if (this.list.length > FEW_TEXTS) this.#known = new Set(this.list);
    return true;
  }
}

/** Collects one source's tags; each `add…` checks grammar, limits and reserved names. */
export class DeclarationDraft {
  readonly rules: TagRules;
  #entity: Entity | null = null;
  #sessionIds = NONE;
  #sessionPaths = NONE;
  #traceIds = NONE;
  #endUsers = NONE;
  readonly #dimensions = new Map<string, string[]>();
  #labels: Texts | null = null;
  #paths: Texts | null = null;
  readonly #sent = new Texts();
  readonly #warnings: string[] = [];
  #tagCount = 0;

  constructor(rules: TagRules = DEFAULT_TAG_RULES) {
    this.rules = rules;
  }

  /** One tag as written in a list. */
  addTag(text: string, at: string): void {
    this.#addParsed(parseTag(text, at), { text, sent: text }, at);
  }

  /** A tag that is known to have no key: a path or a label. `sent` is how the caller wrote it. */
  addValueless({ text, sent }: { readonly text: string; readonly sent: string }, at: string): void {
    const tag = classifyValueless(text);
    if (tag !== null) checkTag(tag, at);
    this.#addParsed(tag, { text, sent }, at);
  }

  /** A label whatever its form looks like: `x-department: eng`. */
  addLabel({ text, sent }: { readonly text: string; readonly sent: string }, at: string): void {
    const label = text.trim();
    if (label === '') {
      this.#absent(at);
      return;
    }
    checkValue(label, at);
    this.#sent.add(sent);
    this.#join((this.#labels ??= new Texts()), label, at);
  }

  addDimension(tag: { readonly key: string; readonly text: string; readonly sent?: string }, at: string): void {
    const { key, text } = tag;
    checkKey(key, at);
    const value = text.trim();
    if (value === '') {
      this.#absent(at);
      return;
    }
    checkValue(value, at);
    this.#sent.add(tag.sent ?? `${key}:${text}`);
    this.#setDimension(key, value, at);
  }

  /** The first pair is the primary entity; a later one only sets the dimension of its type. */
  addEntity(entity: Entity, at: { type: string; id: string }): void {
    const { entityTypes } = this.rules;
    if (!entityTypes.includes(entity.type)) {
      throw new ApportionError('invalid_entity', `${at.type}: unknown entity type.`, {
        param: at.type,
        hint: `Use one of ${entityTypes.join(', ')}; anything else can be a tag.`,
      });
    }
    checkValue(entity.id, at.id);
    if (this.#entity === null) this.#entity = entity;
    else this.#setDimension(entity.type, entity.id, at.id);
  }

  addSession(text: string, at: string): void {
    this.#sessionIds = this.#withId(this.#sessionIds, text, at);
  }

  addTrace(text: string, at: string): void {
    this.#traceIds = this.#withId(this.#traceIds, text, at);
  }

  addSessionPath(text: string, at: string): void {
    const segments = segmentsOf(text);
    if (segments.length === 0) {
      this.#absent(at);
      return;
    }
    checkPath(segments, at);
    const path = segments.join('/');
    this.#sessionPaths = withText(this.#sessionPaths, path);
  }

  addEndUser(text: string, at: string): void {
    const endUser = text.trim();
    if (endUser === '') {
      this.#absent(at);
      return;
    }
    checkValue(endUser, at);
    this.#endUsers = withText(this.#endUsers, endUser);
  }

  warn(warning: string): void {
    // As many as there can be tags: a body full of nulls must not build an endless header.
    if (this.#warnings.length < LIMITS.tagsPerCall) this.#warnings.push(warning);
  }

  finish(weaker: TagDeclaration | null = null): TagDeclaration {
    return {
      entity: this.#entity,
      sessionIds: this.#sessionIds,
      sessionPaths: this.#sessionPaths,
      traceIds: this.#traceIds,
      endUsers: this.#endUsers,
      dimensions: this.#dimensions,
      labels: this.#labels?.list ?? NONE,
      paths: this.#paths?.list ?? NONE,
      sent: this.#sent.list,
      warnings: this.#warnings,
      weaker,
    };
  }

  #absent(at: string): void {
    this.warn(`${at} is empty and was left out`);
  }

  #addParsed(tag: ParsedTag | null, { text, sent }: { text: string; sent: string }, at: string): void {
    if (tag === null) {
      this.#absent(at);
      return;
    }
    this.#sent.add(sent);
    switch (tag.kind) {
      case 'dimension':
        this.#setDimension(tag.key, tag.value, at);
        break;
      case 'path':
        // Nothing was removed: joining would give the same text again.
        this.#addPath(tag.segments, joinedLength(tag.segments) === text.length ? text : tag.segments.join('/'), at);
        break;
      case 'label':
        this.#join((this.#labels ??= new Texts()), tag.label, at);
        break;
    }
  }

  #withId(ids: readonly string[], text: string, at: string): readonly string[] {
    const id = text.trim();
    if (id === '') {
      this.#absent(at);
      return ids;
    }
    checkText(id, { at, maxChars: LIMITS.sessionIdChars });
    return withText(ids, id);
  }

  #addPath(segments: readonly string[], path: string, at: string): void {
    this.#join((this.#paths ??= new Texts()), path, at);
    if (this.rules.pathRoots.size === 0) return;
    const [root = '', id] = segments;
    const dimension = this.rules.pathRoots.get(root);
    if (dimension !== undefined && id !== undefined) this.#setDimension(dimension, id, at);
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

  #join(tags: Texts, tag: string, at: string): void {
    if (tags.add(tag)) this.#count(at);
  }

  #count(at: string): void {
    this.#tagCount += 1;
    if (this.#tagCount > LIMITS.tagsPerCall) {
      throw overLimit(at, `this is tag ${this.#tagCount}, the limit is ${LIMITS.tagsPerCall} different tags per call`);
    }
  }
}

function withText(texts: readonly string[], text: string): readonly string[] {
  return texts.includes(text) ? texts : [...texts, text];
}
