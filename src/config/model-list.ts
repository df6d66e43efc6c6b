import { z } from 'zod';
import { findProvider } from '#providers';
import { type ConfigFile } from './config-file.ts';
import { type ConfigProblem } from './problem.ts';
import { schemaProblems } from './schema-issue.ts';

const PATH = ['model_list'] as const;

const PARAM_FIELDS = {
  model: z.string(),
  api_base: z.string().optional(),
  api_key: z.string().optional(),
  tags: z.array(z.string()).optional(),
  weight: z.number().optional(),
  rpm: z.number().optional(),
  tpm: z.number().optional(),
  max_parallel_requests: z.number().optional(),
};

const ENTRY_FIELDS = {
  model_name: z.string(),
  litellm_params: z.object(PARAM_FIELDS, 'an object'),
  model_info: z.object({ id: z.string().optional() }, 'an object').optional(),
};

const PARAM_KEYS = Object.keys(PARAM_FIELDS);

const listSchema = z.array(z.object(ENTRY_FIELDS, 'an object'), 'a list of models');

type Entry = z.infer<typeof listSchema>[number];

/** How LiteLLM names a variable in place of its value. */
const VARIABLE = /^os\.environ\/(\w+)$/;

/** What stands in the file beside the list, by names. */
type Sections = { readonly providers: Map<string, unknown>; readonly models: Map<string, unknown> };

/**
 * The file with LiteLLM's `model_list` read as `providers` and `models`: an entry with an address or a key of its own is a provider, entries
 * of one name are the deployments of a route.
 */
export function withModelList(file: ConfigFile): { readonly file: ConfigFile; readonly problems: ConfigProblem[] } {
  const given = file.value(PATH);
  if (given === undefined) return { file, problems: [] };
  const parsed = listSchema.safeParse(given);
  const problems = [...schemaProblems(parsed.error, { file, path: PATH }), ...strayKeys(file, given)];
  const sections = { providers: entriesOf(file.value(['providers'])), models: entriesOf(file.value(['models'])) };
  const names = new Set(sections.providers.keys());
  const routes = new Map<string, unknown[]>();
  for (const [index, entry] of (parsed.data ?? []).entries()) {
    if (sections.models.has(entry.model_name)) {
      const setting = file.named([...PATH, index, 'model_name']);
      problems.push({ setting, what: `"${entry.model_name}" stands under "models" as well`, fix: 'Keep one of them.' });
      continue;
    }
    const provider = providerOf(entry, { providers: sections.providers, stated: names });
    routes.set(entry.model_name, [...(routes.get(entry.model_name) ?? []), deploymentOf(entry, provider)]);
  }
  for (const [name, deployments] of routes) sections.models.set(name, { deployments });
  return { problems, file: withSections(file, sections) };
}

function strayKeys(file: ConfigFile, given: unknown): ConfigProblem[] {
  const count = Array.isArray(given) ? given.length : 0;
  return Array.from({ length: count }, (_, index) => [...PATH, index]).flatMap((path) => [
    ...file.strayKeys(path, Object.keys(ENTRY_FIELDS)),
    ...file.strayKeys([...path, 'litellm_params'], PARAM_KEYS),
  ]);
}

/** The name of the entry's provider: the one LiteLLM names, or one of its own where it has an address or a key. */
function providerOf(
  { litellm_params: params }: Entry,
  { providers, stated }: { readonly providers: Sections['providers']; readonly stated: ReadonlySet<string> },
): string {
  const { prefix } = splitModel(params.model);
  const { api_base: baseUrl, api_key: key } = params;
  const name = findProvider(prefix)?.name ?? prefix;
  if (baseUrl === undefined && key === undefined) return name;
  const variable = VARIABLE.exec(key ?? '')?.[1];
  const entry = {
    ...(findProvider(prefix) === undefined ? { wire: 'openai' } : { preset: name }),
    ...(baseUrl === undefined ? {} : { base_url: baseUrl }),
    ...(variable === undefined ? (key === undefined ? {} : { api_key: key }) : { api_key_env: variable }),
  };
  const text = JSON.stringify(entry);
  for (let number = 1; ; number += 1) {
    // Not the known provider's own name: its address and key may stand in the environment.
    const own = `${name}-${number}`;
    if (stated.has(own)) continue;
    const known = providers.get(own);
    if (known !== undefined && JSON.stringify(known) !== text) continue;
    providers.set(own, entry);
    return own;
  }
}

function deploymentOf({ litellm_params: params, model_info: info }: Entry, provider: string): unknown {
  const { tags, weight, rpm, tpm, max_parallel_requests: parallel } = params;
  const limits = { requests_per_minute: rpm, tokens_per_minute: tpm, parallel };
  const fields = { model: `${provider}/${splitModel(params.model).rest}`, tags, weight, id: info?.id, limits };
  // As if it had been written so: what is not stated is not there.
  const written: unknown = JSON.parse(JSON.stringify(fields));
  return written;
}

/** `openai/gpt-4o`; a name alone is OpenAI's, as there. */
function splitModel(model: string): { readonly prefix: string; readonly rest: string } {
  const slash = model.indexOf('/');
  return slash < 1
    ? { prefix: 'openai', rest: model }
    : { prefix: model.slice(0, slash), rest: model.slice(slash + 1) };
}

function entriesOf(section: unknown): Map<string, unknown> {
  return new Map(typeof section === 'object' && section !== null ? Object.entries(section) : []);
}

/** The places of what comes from the list are the list's. */
function withSections(file: ConfigFile, { providers, models }: Sections): ConfigFile {
  const made: Readonly<Record<string, unknown>> = {
    providers: Object.fromEntries(providers),
    models: Object.fromEntries(models),
  };
  const isMade = ([section]: readonly (string | number)[]): boolean => section === 'providers' || section === 'models';
  const isListed = (path: readonly (string | number)[]): boolean => isMade(path) && file.value(path) === undefined;
  return {
    ...file,
    value: (path) => (isMade(path) ? valueAt(made, path) : file.value(path)),
    place: (path) => file.place(isListed(path) ? PATH : path),
    named: (path) => (isListed(path) ? `${file.place(PATH)} "model_list" (${path.join('.')})` : file.named(path)),
  };
}

function valueAt(root: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((value, step) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return new Map<string, unknown>(Object.entries(value)).get(String(step));
  }, root);
}
