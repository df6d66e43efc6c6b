import { ApportionError } from '#terms';
import { detect } from './detect.ts';
import { POLICY_LIMITS, type PolicyLevel, type PolicyMode } from './tag-policy.ts';

/** What a rule says about a call that breaks it. Without the value: it may be what should not be shown. */
export type Breach = {
  readonly level: PolicyLevel;
  readonly mode: PolicyMode;
  /** `env is missing` */
  readonly what: string;
  /** `Send one.` */
  readonly fix: string;
  /** The request field for the error, `tags.env`. */
  readonly param: string;
};

/** Collects what a policy has to say about one call: warnings for its answer, or the 400. */
export class Notes {
  readonly #said: readonly string[];
  readonly #added: string[] = [];

  constructor(said: readonly string[]) {
    this.#said = said;
  }

  break(breach: Breach): void {
    const { level, mode, what, fix, param } = breach;
    if (mode === 'enforce') throw refused(breach);
    // In `warn` the same words, in ASCII and in one line: they travel in a header.
    this.say(`${what} (tag policy of the ${level}, ${param}). ${fix}`);
  }

  say(text: string): void {
    const warning = asciiOnly(text);
    if (!this.#said.includes(warning) && !this.#added.includes(warning)) this.#added.push(warning);
  }

  /** The warnings there were and those added; the same list when nothing was added. */
  get warnings(): readonly string[] {
    return this.#added.length === 0 ? this.#said : [...this.#said, ...this.#added];
  }
}

export function refused({ level, what, fix, param }: Omit<Breach, 'mode'>): ApportionError {
  return new ApportionError('invalid_tag', `${what} (tag policy of the ${level}).`, { param, hint: fix });
}

/** Warnings travel in a header; allowed values may be in any script. */
function asciiOnly(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** A tag key for a message, unless the key itself is what must not be shown. */
export function showKey(key: string): string {
  return detect(key).length === 0 ? key : 'a tag key';
}

/** `a, b and 3 more`, in one order whatever the order of the tags. */
export function listNames(names: Iterable<string>): string {
  const sorted = [...new Set(names)].toSorted();
  const shown = sorted.slice(0, POLICY_LIMITS.namesPerWarning);
  const more = sorted.length - shown.length;
  return more === 0 ? shown.join(', ') : `${shown.join(', ')} and ${more} more`;
}
