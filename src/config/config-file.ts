import {
  findNodeAtLocation,
  getNodeValue,
  parseTree,
  printParseErrorCode,
  type Node,
  type ParseError,
} from 'jsonc-parser';
import { nearestName } from '#std';
import { type ConfigProblem } from './problem.ts';
import { dotted } from './schema-issue.ts';

type Path = readonly (string | number)[];

/** A configuration file (JSON with comments and trailing commas) that knows where each of its values stands. */
export type ConfigFile = {
  value(path: Path): unknown;
  /** `name:line:column` of a value, or of the file when the value is missing. */
  place(path: Path): string;
  /** Its place and its dotted name, for a message. */
  named(path: Path): string;
  /** A problem per key of the object at `path` that is not known or stands there twice. */
  strayKeys(path: Path, known: readonly string[]): ConfigProblem[];
  /** A problem per key that stands twice in any object under the one at `path`. */
  repeatedKeysBelow(path: Path): ConfigProblem[];
  /** The place of the value at `path` and of each one below, by dotted name (`tags.policy.required[0]`). */
  placesBelow(path: Path): Readonly<Record<string, string>>;
};

export const NO_FILE: ConfigFile = {
  value: () => undefined,
  place: () => 'the configuration file',
  named: (path) => `the configuration file "${dotted(path)}"`,
  strayKeys: () => [],
  repeatedKeysBelow: () => [],
  placesBelow: () => ({}),
};

/** @returns the file, or what makes it unreadable */
export function parseConfigFile(name: string, text: string): ConfigFile | { problems: ConfigProblem[] } {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false });
  const at = (offset: number): string => place(name, text, offset);
  const problems = errors.map(({ error, offset }) => notJson(at(offset), printParseErrorCode(error)));
  if (problems.length > 0) return { problems };
  if (root === undefined) return { problems: [notJson(at(0), 'the file is empty')] };
  if (root.type !== 'object') {
    return {
      problems: [
        { setting: at(root.offset), what: `the file holds ${root.type}`, fix: 'It must hold one object { … }.' },
      ],
    };
  }
  const nodeAt = (path: Path): Node | undefined => findNodeAtLocation(root, [...path]);
  const placeOf = (path: Path): string => at(nodeAt(path)?.offset ?? 0);
  return {
    value: (path) => {
      const node = nodeAt(path);
      return node === undefined ? undefined : (getNodeValue(node) as unknown);
    },
    place: placeOf,
    named: (path) => `${placeOf(path)} "${dotted(path)}"`,
    strayKeys: (path, known) => strayKeys(nodeAt(path), { path, known, at }),
    repeatedKeysBelow: (path) =>
      Array.from(nodesBelow(nodeAt(path), path))
        .filter((below) => below.path.length > path.length)
        .flatMap((below) => strayKeys(below.node, { path: below.path, known: [], at })),
    placesBelow: (path) =>
      Object.fromEntries(
        Array.from(nodesBelow(nodeAt(path), path), (below) => [dotted(below.path), at(below.node.offset)]),
      ),
  };
}

type Placed = { readonly node: Node; readonly path: Path };

function* nodesBelow(node: Node | undefined, path: Path): Generator<Placed> {
  if (node === undefined) return;
  yield { node, path };
  for (const [index, child] of (node.children ?? []).entries()) {
    if (node.type === 'array') yield* nodesBelow(child, [...path, index]);
    else yield* nodesBelow(child.children?.[1], [...path, String(child.children?.[0]?.value)]);
  }
}

function notJson(setting: string, why: string): ConfigProblem {
  const fix = 'Comments and trailing commas are allowed, anything else of JSON5 is not.';
  return { setting, what: `this is not JSON (${why})`, fix };
}

function strayKeys(
  node: Node | undefined,
  context: { path: Path; known: readonly string[]; at: (offset: number) => string },
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const seen = new Set<string>();
  for (const property of node?.type === 'object' ? (node.children ?? []) : []) {
    const key = String(property.children?.[0]?.value);
    const setting = `${context.at(property.offset)} "${dotted([...context.path, key])}"`;
    if (seen.has(key)) {
      problems.push({ setting, what: 'this key stands here twice', fix: 'Keep one of them.' });
    } else if (context.known.length > 0 && !context.known.includes(key)) {
      const nearest = nearestName(key, context.known);
      const fix = nearest === undefined ? `Known here are: ${context.known.join(', ')}.` : `Did you mean "${nearest}"?`;
      problems.push({ setting, what: 'unknown key', fix });
    }
    seen.add(key);
  }
  return problems;
}

function place(name: string, text: string, offset: number): string {
  const before = text.slice(0, offset).split(/\r\n|\n|\r/);
  return `${name}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}
