/**
 * Patterns of a policy, matched in time proportional to text × pattern: all states advance together, so no text a caller
 * sends can make a pattern slow (RegExp backtracks: `^(a+)+$` needs seconds for 30 characters).
 */
export type Pattern = { readonly source: string; matches(text: string): boolean };

type CharTest = (char: string) => boolean;

type Node =
  | { readonly kind: 'char'; readonly test: CharTest }
  | { readonly kind: 'sequence'; readonly items: readonly Node[] }
  | { readonly kind: 'choice'; readonly options: readonly Node[] }
  | { readonly kind: 'repeat'; readonly item: Node; readonly min: number; readonly max: number | null };

type Step =
  | { readonly kind: 'char'; readonly test: CharTest }
  | { readonly kind: 'fork'; first: number; second: number }
  | { readonly kind: 'match' };

/** What cannot be matched this way, or would not mean what it seems to within `^…$`. */
const BEYOND = /\\[1-9kbB]|\(\?(?!:)/;

const TOKEN =
  /\\p\{[^}]*\}|\\P\{[^}]*\}|\\u\{[0-9A-Fa-f]+\}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\c[A-Za-z]|\\.|\[(?:\\.|[^\]\\])*\]|\(\?:|[*+?]\??|\{\d+(?:,\d*)?\}\??|[\s\S]/gu;

/** @returns the pattern, or why it cannot be used, completing "It must …" */
export function compilePattern(
  source: string,
  limits: { readonly maxChars: number; readonly maxSteps: number },
): Pattern | { readonly problem: string } {
  if (source.length > limits.maxChars) return { problem: `have at most ${limits.maxChars} characters` };
  if (!/^\^[\s\S]*\$$/.test(source) || /(?<!\\)(?:\\\\)*\\\$$/.test(source)) {
    return { problem: 'begin with ^ and end with $' };
  }
  if (BEYOND.test(source)) return { problem: 'do without look-around, back references, named groups and \\b' };
  if (!isRegExp(source)) return { problem: 'be a regular expression (with the flag u)' };
  const reader = new PatternReader(source.slice(1, -1));
  const node = reader.read();
  if (node === null) return { problem: 'have ^ and $ only at its ends (group alternatives: ^(?:a|b)$)' };
  const steps = new Assembler(limits.maxSteps).assemble(node);
  if (steps === null) return { problem: `need at most ${limits.maxSteps} steps; use smaller repetition counts` };
  return { source, matches: (text) => run(steps, text) };
}

function isRegExp(source: string): boolean {
  try {
    return new RegExp(source, 'u').source !== '';
  } catch {
    // The only way to ask; the answer is the point.
    return false;
  }
}

/** Reads a pattern that RegExp has accepted, so its syntax is known to be right. */
class PatternReader {
  readonly #tokens: readonly string[];
  #at = 0;
  #wellFormed = true;

  constructor(source: string) {
    this.#tokens = source.match(TOKEN) ?? [];
  }

  /** Null when an anchor stands inside, or alternatives stand outside a group, where each would need its own anchors. */
  read(): Node | null {
    const node = this.#choice();
    return this.#wellFormed && this.#at === this.#tokens.length && node.kind === 'sequence' ? node : null;
  }

  #choice(): Node {
    const options: Node[] = [this.#sequence()];
    while (this.#tokens[this.#at] === '|') {
      this.#at += 1;
      options.push(this.#sequence());
    }
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: 'choice', options };
  }

  #sequence(): Node {
    const items: Node[] = [];
    for (let token = this.#tokens[this.#at]; token !== undefined; token = this.#tokens[this.#at]) {
      if (token === '|' || token === ')') break;
      this.#at += 1;
      items.push(this.#repeated(this.#atom(token)));
    }
    return { kind: 'sequence', items };
  }

  #atom(token: string): Node {
    if (token === '(' || token === '(?:') {
      const inner = this.#choice();
      this.#at += 1;
      return inner;
    }
    if (token === '^' || token === '$') this.#wellFormed = false;
    return { kind: 'char', test: charTest(token) };
  }

  #repeated(item: Node): Node {
    const counts = /^([*+?]|\{(\d+)(,?)(\d*)\})\??$/.exec(this.#tokens[this.#at] ?? '');
    if (counts === null) return item;
    this.#at += 1;
    const [, sign = '', least = '0', comma = '', most = ''] = counts;
    if (sign === '*') return { kind: 'repeat', item, min: 0, max: null };
    if (sign === '+') return { kind: 'repeat', item, min: 1, max: null };
    if (sign === '?') return { kind: 'repeat', item, min: 0, max: 1 };
    const min = Number(least);
    const max = most !== '' ? Number(most) : comma === '' ? min : null;
    return { kind: 'repeat', item, min, max };
  }
}

/** RegExp decides about one character at a time, which it cannot do slowly. */
function charTest(token: string): CharTest {
  const one = new RegExp(`^${token}$`, 'u');
  const ascii = Array.from({ length: 128 }, (_, code) => one.test(String.fromCharCode(code)));
  return (char) => ascii[char.codePointAt(0) ?? 0] ?? one.test(char);
}

/** Lays a pattern out as steps (Thompson's construction). */
class Assembler {
  readonly #steps: Step[] = [];
  readonly #maxSteps: number;
  #full = false;

  constructor(maxSteps: number) {
    this.#maxSteps = maxSteps;
  }

  assemble(node: Node): readonly Step[] | null {
    this.#lay(node);
    this.#push({ kind: 'match' });
    return this.#full ? null : this.#steps;
  }

  #lay(node: Node): void {
    if (this.#full) return;
    switch (node.kind) {
      case 'char':
        this.#push(node);
        break;
      case 'sequence':
        for (const item of node.items) this.#lay(item);
        break;
      case 'choice':
        this.#layChoice(node.options);
        break;
      case 'repeat':
        this.#layRepeat(node);
        break;
    }
  }

  #layChoice(options: readonly Node[]): void {
    const jumps: { first: number; second: number }[] = [];
    for (const [index, option] of options.entries()) {
      const last = index === options.length - 1;
      const fork = last ? null : this.#fork();
      this.#lay(option);
      if (fork === null) break;
      jumps.push(this.#fork());
      fork.second = this.#steps.length;
    }
    for (const jump of jumps) {
      jump.first = this.#steps.length;
      jump.second = this.#steps.length;
    }
  }

  #layRepeat({ item, min, max }: Extract<Node, { kind: 'repeat' }>): void {
    // Before any loop: an empty group lays no step, so the count alone would not stop it.
    if (Math.max(min, max ?? 0) > this.#maxSteps) this.#full = true;
    for (let n = 0; n < min && !this.#full; n += 1) this.#lay(item);
    if (max === null) this.#layLoop(item);
    else this.#layOptional(item, max - min);
  }

  #layLoop(item: Node): void {
    const start = this.#steps.length;
    const fork = this.#fork();
    this.#lay(item);
    const back = this.#fork();
    back.first = start;
    back.second = start;
    fork.second = this.#steps.length;
  }

  #layOptional(item: Node, times: number): void {
    const forks: { second: number }[] = [];
    for (let n = 0; n < times && !this.#full; n += 1) {
      forks.push(this.#fork());
      this.#lay(item);
    }
    for (const fork of forks) fork.second = this.#steps.length;
  }

  /** A fork whose first way is the next step; where the second leads is filled in later. */
  #fork(): { first: number; second: number } {
    const next = this.#steps.length + 1;
    const fork = { kind: 'fork', first: next, second: next } satisfies Step;
    this.#push(fork);
    return fork;
  }

  #push(step: Step): void {
    if (this.#steps.length >= this.#maxSteps) this.#full = true;
    else this.#steps.push(step);
  }
}

function run(steps: readonly Step[], text: string): boolean {
  const seen = new Int32Array(steps.length).fill(-1);
  let round = 0;
  let current: number[] = [];
  let matched = follow(0, current);
  for (const char of text) {
    if (current.length === 0) return false;
    round += 1;
    matched = false;
    const next: number[] = [];
    for (const at of current) {
      const step = steps[at];
      if (step?.kind === 'char' && step.test(char)) matched = follow(at + 1, next) || matched;
    }
    current = next;
  }
  return matched;

  /** Adds the characters that can come next from a step; true when the pattern may end there. */
  function follow(from: number, into: number[]): boolean {
    const open = [from];
    let end = false;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const step = steps[at];
      if (step === undefined || seen[at] === round) continue;
      seen[at] = round;
      if (step.kind === 'fork') open.push(step.second, step.first);
      else if (step.kind === 'match') end = true;
      else into.push(at);
    }
    return end;
  }
}
