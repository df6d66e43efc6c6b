import { findProvider, PROVIDERS } from '#providers';
import { type ConfigFile } from './config-file.ts';
import { type Environment } from './environment.ts';
import { type ConfigProblem } from './problem.ts';
import {
  readFirst,
  readProvider,
  variablesOf,
  type EntryContext,
  type ProviderConfig,
  type StatedProvider,
} from './provider-entry.ts';
import { INNER_KEYS, PROVIDER_KEYS, PROVIDER_NAME, providerSchema } from './provider-fields.ts';
import { schemaProblems } from './schema-issue.ts';

export type Providers = {
  readonly providers: readonly ProviderConfig[];
  /** Every name that was stated, those with problems included: what refers to them is not wrong as well. */
  readonly names: readonly string[];
  readonly problems: ConfigProblem[];
};

const PATH = ['providers'] as const;

/** Those of the file in its order, then those only the environment names. The order decides whose an ambiguous model is. */
export function readProviders(file: ConfigFile, context: EntryContext): Providers {
  const fromFile = readFileProviders(file);
  const stated = [...fromFile.stated, ...readEnvironmentProviders(context.env, fromFile.names)];
  const read = stated.map((one) => readProvider(one, context));
  return {
    providers: read.flatMap((one) => ('provider' in one ? [one.provider] : [])),
    names: [...new Set([...fromFile.names, ...stated.map(({ name }) => name)])],
    problems: [...fromFile.problems, ...read.flatMap((one) => ('problems' in one ? one.problems : []))],
  };
}

/** A key turns a provider on; an address does where no key is needed. */
function readEnvironmentProviders(env: Environment, named: readonly string[]): StatedProvider[] {
  const taken = new Set(named.map((name) => findProvider(name)));
  return PROVIDERS.flatMap((provider) => {
    const variables = variablesOf(provider);
    const first = (ending: string) =>
      readFirst(
        env,
        variables.map((variable) => variable + ending),
      );
    const found = first(provider.keyless ? '_BASE_URL' : '_API_KEY');
    // A cloud's key is of no use without an address: it may be there for other tools.
    if (provider.cloud !== undefined && first('_BASE_URL') === undefined) return [];
    return found === undefined || taken.has(provider) ? [] : [{ name: provider.name, entry: {}, place: found.name }];
  });
}

type FileProviders = {
  readonly stated: readonly StatedProvider[];
  readonly names: readonly string[];
  readonly problems: ConfigProblem[];
};

function readFileProviders(file: ConfigFile): FileProviders {
  const value = file.value(PATH);
  if (value === undefined) return { stated: [], names: [], problems: [] };
  if (!isRecord(value)) {
    const setting = file.named(PATH);
    return {
      stated: [],
      names: [],
      problems: [{ setting, what: 'this is not an object', fix: 'Write { "name": { … } }.' }],
    };
  }
  const stated: StatedProvider[] = [];
  const problems: ConfigProblem[] = file.strayKeys(PATH, []);
  for (const [name, given] of Object.entries(value)) {
    const path = [...PATH, name];
    const parsed = providerSchema.safeParse(given);
    const found = [
      ...nameProblems(name, file.named(path)),
      ...file.strayKeys(path, PROVIDER_KEYS),
      ...Object.entries(INNER_KEYS).flatMap(([key, known]) => file.strayKeys([...path, key], known)),
      ...schemaProblems(parsed.error, { file, path }),
    ];
    problems.push(...found);
    if (parsed.data === undefined || found.length > 0) continue;
    stated.push({ name, entry: parsed.data, place: file.named(path) });
  }
  return { stated, names: Object.keys(value), problems };
}

function nameProblems(name: string, setting: string): ConfigProblem[] {
  if (name === 'sandbox') {
    return [
      {
        setting,
        what: 'the name sandbox is taken by the built-in provider',
        fix: 'Choose another name; "sandbox": true turns the built-in one on.',
      },
    ];
  }
  if (PROVIDER_NAME.test(name)) return [];
  return [
    {
      setting,
      what: 'this is no provider name',
      fix: 'Use lower-case letters, digits, - and _, a letter first, at most 32.',
    },
  ];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
