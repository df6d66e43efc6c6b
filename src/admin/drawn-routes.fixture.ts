import assert from 'node:assert/strict';
import type { InjectOptions } from 'fastify';

const LINE = /^(?<indent>[│ ]*)[├└]── (?<part>\S+)(?: \((?<methods>[A-Z, ]+)\))?$/u;

export type Route = { readonly method: NonNullable<InjectOptions['method']>; readonly url: string };

/** Every route the app has, read from Fastify's own drawing of its tree, so that a new one cannot stay out of this test. */
export function routesOf(tree: string): Route[] {
  const parts: string[] = [];
  return tree
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      const { indent, part, methods } = LINE.exec(line)?.groups ?? {};
      assert.ok(indent !== undefined && part !== undefined, `a line of the tree is read: ${line}`);
      parts.splice(indent.length / 4, Infinity, part);
      const url = parts.join('');
      return (methods?.split(', ') ?? []).map((method) => ({ method, url }));
    });
}
