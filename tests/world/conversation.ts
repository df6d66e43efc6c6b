import type { Seeded } from './behaviour.ts';
import { isObject } from './json-fields.ts';
import { planPieces } from './token-plan.ts';

/** What a request leaves to the model: tools it may call, or must, and the form of its answer. */
export type Offer = {
  /** Empty where none may be called now. */
  readonly tools: readonly { readonly name: string; readonly schema: unknown }[];
  /** One of them must be called. */
  readonly forced: boolean;
  /** The schema of the answer; undefined for plain text. */
  readonly schema: unknown;
};

export type ToolCall = { readonly name: string; readonly args: unknown };

/** What the model says: text in pieces, or calls of tools. */
export type Said = { readonly pieces: readonly string[]; readonly calls: readonly ToolCall[] };

/** As many calls as the behaviour wants, of the tools in turn; else the answer in the form that was asked for. */
export function planSaid(behaviour: Seeded, { tools, forced, schema }: Offer): Said {
  const wanted = tools.length === 0 ? 0 : Math.max(behaviour.calls ?? 0, forced ? 1 : 0);
  const calls = Array.from({ length: wanted }, (_, index) => {
    const tool = tools[index % tools.length];
    return { name: tool?.name ?? '', args: valueFor(tool?.schema) };
  });
  if (calls.length > 0) return { pieces: [], calls };
  if (schema === undefined) return { pieces: planPieces(behaviour), calls };
  return { pieces: cut(JSON.stringify(valueFor(schema))), calls };
}

const PIECE_CHARS = 7;

/** A text in the pieces a stream delivers it in. */
export function cut(text: string): readonly string[] {
  return text.match(new RegExp(`[^]{1,${PIECE_CHARS}}`, 'gu')) ?? [];
}

/** Whatever a format must escape. */
const WORD = 'cöst "7"\n🙂';

/** The one value of each type that answers by a schema have. */
export function valueFor(schema: unknown): unknown {
  if (!isObject(schema)) return WORD;
  switch (schema['type']) {
    case 'object': {
      const properties = isObject(schema['properties']) ? schema['properties'] : {};
      return Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, valueFor(one)]));
    }
    case 'array':
      return [valueFor(schema['items']), valueFor(schema['items'])];
    case 'integer':
    case 'number':
      return 7;
    case 'boolean':
      return true;
    default:
      return WORD;
  }
}
