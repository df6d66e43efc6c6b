import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { extname, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { findProvider } from '#providers';
import { METERS } from '#terms';
import * as wires from './index.ts';
import { NO_QUIRKS, type AnswerContext, type Quirks, type Wire } from './wire.ts';

const src = resolve(import.meta.dirname, '..');

const meters = z.partialRecord(z.enum(METERS), z.number());

const others = z.array(z.object({ model: z.string(), meters }));

/** What `expected.json` says of one file of its folder. */
const expected = z.strictObject({
  wire: z.string(),
  /** Streams are `.sse`; any other file that is one says so. */
  stream: z.boolean().optional(),
  id: z.string().default(''),
  model: z.string().default(''),
  /** Null when the answer does not say what it used. */
  meters: meters.nullable(),
  others: others.optional(),
  serviceTier: z.string().optional(),
  geo: z.string().optional(),
  reportedCost: z.string().optional(),
  inconsistent: z.literal(true).optional(),
  /** Whether the usage speaks of the whole answer; where it is left out, it does when there is any. */
  complete: z.boolean().optional(),
  failed: z.boolean().default(false),
  unfinished: z.literal(true).optional(),
  /** The text for an estimate, where the usage is not complete. */
  text: z.string().default(''),
  /** What was asked, where it matters: `{"choices": 2}`, `{"meters": {"input_characters": 437}}`. */
  request: z
    .strictObject({
      model: z.string(),
      choices: z.number(),
      meters,
      others,
    })
    .partial()
    .default({}),
  headers: z.record(z.string(), z.string()).default({}),
  /** Where the provider differs; those of `src/providers/<name>` come from its folder. */
  quirks: z
    .strictObject({
      streamUsage: z.enum(['ask', 'always']),
      reasoning: z.enum(['inside', 'outside']),
      reportedCostHeader: z.string(),
    })
    .partial()
    .default({}),
});

export type Expected = z.output<typeof expected>;

/** One recorded answer, and what must be read in it. */
export type Recorded = {
  /** `providers/groq/answers/chat.sse` */
  readonly path: string;
  readonly bytes: Buffer;
  readonly stream: boolean;
  readonly wire: Wire;
  readonly expected: Expected;
  readonly context: AnswerContext;
};

const WIRES: ReadonlyMap<string, Wire> = new Map(
  Object.values(wires).flatMap((value) => (isWire(value) ? [[value.name, value] as const] : [])),
);

function isWire(value: unknown): value is Wire {
  return typeof value === 'object' && value !== null && 'readAnswer' in value && 'name' in value;
}

export function recordedAnswers(): readonly Recorded[] {
  return ['wires', 'providers'].flatMap((module) =>
    readdirSync(join(src, module), { withFileTypes: true })
      .filter((folder) => folder.isDirectory() && existsSync(join(src, module, folder.name, 'answers/expected.json')))
      .flatMap((folder): readonly Recorded[] => {
        const provider = module === 'providers' ? findProvider(folder.name) : undefined;
        return readFolder(join(src, module, folder.name, 'answers'), provider?.quirks ?? NO_QUIRKS);
      }),
  );
}

function readFolder(folder: string, quirks: Quirks): Recorded[] {
  const listed = z.record(z.string(), expected).parse(JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')));
  const unlisted = readdirSync(folder).filter((name) => name !== 'expected.json' && !Object.hasOwn(listed, name));
  if (unlisted.length > 0) throw new Error(`${folder}: expected.json says nothing of ${unlisted.join(', ')}`);
  return Object.entries(listed).map(([name, one]) => {
    const wire = WIRES.get(one.wire);
    if (wire === undefined) throw new Error(`${folder}/${name}: there is no wire ${one.wire}`);
    const stream = one.stream ?? extname(name) === '.sse';
    return {
      path: relative(src, join(folder, name)),
      bytes: readFileSync(join(folder, name)),
      stream,
      wire,
      expected: one,
      context: {
        request: {
          model: one.request.model ?? one.model,
          stream,
          wantsUsage: true,
          maxOutputTokens: null,
          choices: one.request.choices ?? 1,
          maxInputTokens: null,
          ...(one.request.meters === undefined ? {} : { meters: one.request.meters }),
          ...(one.request.others === undefined ? {} : { others: one.request.others }),
        },
        quirks: withQuirks(quirks, one.quirks),
        headers: one.headers,
      },
    };
  });
}

function withQuirks(quirks: Quirks, { streamUsage, reasoning, reportedCostHeader }: Expected['quirks']): Quirks {
  return {
    ...quirks,
    streamUsage: streamUsage ?? quirks.streamUsage,
    reasoning: reasoning ?? quirks.reasoning,
    reportedCostHeader: reportedCostHeader ?? quirks.reportedCostHeader,
  };
}
