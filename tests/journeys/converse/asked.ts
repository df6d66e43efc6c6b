/** What a caller wants of a model, whatever its client. */
export type Wish = {
  readonly model: string;
  readonly text: string;
  readonly stream: boolean;
  readonly feature: Feature;
};

export const FEATURES = ['text', 'tools', 'images', 'schema', 'reasoning', 'reasoning with tools'] as const;

export type Feature = (typeof FEATURES)[number];

/** What its client made of the answers. */
export type Got = {
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly args: unknown }[];
  /** Thoughts that were shown; null where the client shows none. */
  readonly thought: string | null;
  /** One of each answer. */
  readonly usages: readonly Counted[];
};

/** All input and output tokens, as the client counts them, and the id of their answer. */
export type Counted = { readonly id: string; readonly input: number; readonly output: number };

export type Converse = (target: { readonly url: string; readonly key: string }, wish: Wish) => Promise<Got>;

export const SYSTEM = 'Answer briefly.';

export const LIMIT_TOKENS = 4000;

/** One pixel. */
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

export const PDF = Buffer.from('%PDF-1.4\n%%EOF\n').toString('base64');

export const SCHEMA = {
  type: 'object' as const,
  properties: {
    answer: { type: 'string' as const },
    costs: { type: 'array' as const, items: { type: 'integer' as const } },
  },
  required: ['answer', 'costs'],
  additionalProperties: false,
};

export const TOOL_SCHEMA = {
  type: 'object' as const,
  properties: { city: { type: 'string' as const }, days: { type: 'integer' as const } },
  required: ['city', 'days'],
  additionalProperties: false,
};

export const TOOLS = ['get_weather', 'get_time'] as const;

/** What a tool gives back. */
export function resultOf(name: string): string {
  return `{"${name}":"fine, 21 °C"}`;
}

export function usesTools(feature: Feature): boolean {
  return feature === 'tools' || feature === 'reasoning with tools';
}

export function reasons(feature: Feature): boolean {
  return feature === 'reasoning' || feature === 'reasoning with tools';
}
