import { z } from 'zod';
import { nearestName } from '#std';
import { type ConfigFile } from './config-file.ts';
import { type ConfigProblem } from './problem.ts';
import { type ProviderConfig } from './provider-entry.ts';
import { findCycles } from './route-cycles.ts';
import { NO_ROUTING, type ModelRoute, type RouteDeployment, type RoutingConfig } from './routing.ts';
import { schemaProblems } from './schema-issue.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

const modelName = z.string().regex(/^[\x21-\x7e]{1,256}$/, 'the name of a model, such as openai/gpt-4o');

const DEPLOYMENT_FIELDS = { model: modelName, weight: wholeNumber(1, 1_000_000).optional() };

const ROUTE_FIELDS = {
  deployments: z.array(z.object(DEPLOYMENT_FIELDS, 'an object')).min(1, 'a list with at least one deployment'),
  fallbacks: z
    .array(modelName)
    .refine((names) => new Set(names).size === names.length, 'a list that names each one once')
    .optional(),
};

const RETRY_FIELDS = {
  max_attempts: wholeNumber(1, 20).optional(),
  backoff_ms: wholeNumber(0, 60_000).optional(),
  max_backoff_ms: wholeNumber(0, 600_000).optional(),
  when_unknown: z.enum(['stop', 'retry']).optional(),
};

const COOLDOWN_FIELDS = { failures: wholeNumber(1, 1_000).optional(), for_ms: wholeNumber(1, DAY_MS).optional() };

export const ROUTE_KEYS = Object.keys(ROUTE_FIELDS);
export const DEPLOYMENT_KEYS = Object.keys(DEPLOYMENT_FIELDS);
export const RETRY_KEYS = Object.keys(RETRY_FIELDS);
export const COOLDOWN_KEYS = Object.keys(COOLDOWN_FIELDS);

const routeSchema = z.preprocess(
  (given) => (typeof given === 'string' ? { deployments: [{ model: given }] } : given),
  z.object(ROUTE_FIELDS, 'a model such as "openai/gpt-4o", or an object'),
);
const modelsSchema = z.record(z.string(), z.unknown(), 'an object of names and what they stand for');
const retriesSchema = z.object(RETRY_FIELDS, 'an object');
const cooldownSchema = z.object(COOLDOWN_FIELDS, 'an object');

/** Who can answer: the providers that are configured, by name. */
export type Answering = {
  readonly providers: readonly ProviderConfig[];
  /** Their names, those of entries with problems included, and the sandbox when it is on. */
  readonly names: readonly string[];
};

export function readRouting(
  file: ConfigFile,
  answering: Answering,
): { readonly routing: RoutingConfig; readonly problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const routes = readRoutes(file, { answering, problems });
  const retries = readRetries(file, problems);
  const cooldown = readSection(file, { path: ['cooldown'], schema: cooldownSchema, keys: COOLDOWN_KEYS, problems });
  return {
    problems,
    routing: {
      routes,
      retries,
      cooldown: {
        failures: cooldown?.failures ?? NO_ROUTING.cooldown.failures,
        forMs: cooldown?.for_ms ?? NO_ROUTING.cooldown.forMs,
      },
    },
  };
}

function readRetries(file: ConfigFile, problems: ConfigProblem[]): RoutingConfig['retries'] {
  const path = ['retries'];
  const given = readSection(file, { path, schema: retriesSchema, keys: RETRY_KEYS, problems });
  const { retries } = NO_ROUTING;
  const backoffMs = given?.backoff_ms ?? retries.backoffMs;
  const maxBackoffMs = given?.max_backoff_ms ?? Math.max(retries.maxBackoffMs, backoffMs);
  if (backoffMs > maxBackoffMs) {
    const setting = file.named([...path, 'max_backoff_ms']);
    problems.push({
      setting,
      what: `${maxBackoffMs} is less than backoff_ms`,
      fix: `It must be ${backoffMs} or more.`,
    });
  }
  return {
    maxAttempts: given?.max_attempts ?? retries.maxAttempts,
    backoffMs,
    maxBackoffMs,
    whenUnknown: given?.when_unknown ?? retries.whenUnknown,
    plainModels: file.value(path) !== undefined,
  };
}

function readSection<T>(
  file: ConfigFile,
  section: { path: readonly string[]; schema: z.ZodType<T>; keys: readonly string[]; problems: ConfigProblem[] },
): T | undefined {
  const { path, schema, keys, problems } = section;
  const parsed = schema.safeParse(file.value(path) ?? {});
  problems.push(...file.strayKeys(path, keys), ...schemaProblems(parsed.error, { file, path }));
  return parsed.data;
}

type Reading = { readonly answering: Answering; readonly problems: ConfigProblem[] };

function readRoutes(file: ConfigFile, { answering, problems }: Reading): ModelRoute[] {
  const path = ['models'];
  const entries = modelsSchema.safeParse(file.value(path) ?? {});
  problems.push(...file.strayKeys(path, []), ...schemaProblems(entries.error, { file, path }));
  const names = Object.keys(entries.data ?? {});
  const routes: ModelRoute[] = [];
  for (const [name, given] of Object.entries(entries.data ?? {})) {
    const at = { file, path: [...path, name] };
    const parsed = routeSchema.safeParse(given);
    problems.push(...strayRouteKeys(at), ...nameProblems(name, answering, at), ...schemaProblems(parsed.error, at));
    if (parsed.data === undefined) continue;
    const deployments = parsed.data.deployments.flatMap((deployment, index) => {
      const inside = typeof given === 'string' ? at.path : [...at.path, 'deployments', index, 'model'];
      const read = readDeployment(deployment, { answering, place: file.named(inside) });
      if ('problem' in read) problems.push(read.problem);
      return 'problem' in read ? [] : [read];
    });
    const fallbacks = parsed.data.fallbacks ?? [];
    for (const [index, fallback] of fallbacks.entries()) {
      if (names.includes(fallback)) continue;
      const place = file.named([...at.path, 'fallbacks', index]);
      const read = readDeployment({ model: fallback }, { answering, place, routes: names });
      if ('problem' in read) problems.push(read.problem);
    }
    routes.push({ name, deployments, fallbacks });
  }
  for (const cycle of findCycles(routes)) {
    const setting = file.named([...path, cycle[0] ?? '', 'fallbacks']);
    const what = `the fallbacks lead back to where they began (${cycle.join(' → ')})`;
    problems.push({ setting, what, fix: 'Take one of them out.' });
  }
  return routes;
}

type Place = { readonly file: ConfigFile; readonly path: readonly (string | number)[] };

function strayRouteKeys({ file, path }: Place): ConfigProblem[] {
  const deployments = file.value([...path, 'deployments']);
  const count = Array.isArray(deployments) ? deployments.length : 0;
  return [
    ...file.strayKeys(path, ROUTE_KEYS),
    ...Array.from({ length: count }, (_, index) =>
      file.strayKeys([...path, 'deployments', index], DEPLOYMENT_KEYS),
    ).flat(),
  ];
}

function nameProblems(name: string, { names }: Answering, { file, path }: Place): ConfigProblem[] {
  const setting = file.named(path);
  if (!modelName.safeParse(name).success) {
    const fix = 'Use printable ASCII characters without spaces, at most 256.';
    return [{ setting, what: 'this is no name for a model', fix }];
  }
  const prefix = name.slice(0, Math.max(0, name.indexOf('/')));
  if (!names.includes(prefix)) return [];
  const fix = `Choose a name that does not begin with "${prefix}/".`;
  return [{ setting, what: `the name hides a model of the provider ${prefix}`, fix }];
}

type Refusal = { readonly problem: ConfigProblem };

/** `provider/model`; a model may have slashes of its own. */
function readDeployment(
  { model, weight = 1 }: { readonly model: string; readonly weight?: number | undefined },
  context: { readonly answering: Answering; readonly place: string; readonly routes?: readonly string[] },
): RouteDeployment | Refusal {
  const { answering, place, routes = [] } = context;
  const slash = model.indexOf('/');
  const provider = slash === -1 ? model : model.slice(0, slash);
  const rest = slash === -1 ? '' : model.slice(slash + 1);
  const refuse = (what: string, fix: string): Refusal => ({ problem: { setting: place, what, fix } });
  if (!answering.names.includes(provider)) {
    const what = `"${model}" names no configured provider${routes.length === 0 ? '' : ' and no entry of "models"'}`;
    return refuse(what, nearestFix({ provider, rest, names: answering.names, routes }));
  }
  if (rest === '') return refuse(`"${model}" names no model`, `Write "${provider}/" and the model.`);
  const only = answering.providers.find(({ name }) => name === provider)?.models ?? null;
  if (only !== null && !only.includes(rest)) {
    return refuse(
      `the provider ${provider} is held to its list, which has no ${rest}`,
      `Known are: ${only.join(', ')}.`,
    );
  }
  return { provider, model: rest, weight };
}

function nearestFix(asked: {
  readonly provider: string;
  readonly rest: string;
  readonly names: readonly string[];
  readonly routes: readonly string[];
}): string {
  const { provider, rest, names, routes } = asked;
  const route = rest === '' ? nearestName(provider, routes) : undefined;
  if (route !== undefined) return `Did you mean "${route}"?`;
  const nearest = nearestName(provider, names);
  if (nearest !== undefined) return `Did you mean "${nearest}/${rest}"?`;
  if (names.length === 0) return 'Configure a provider first.';
  return `Write "provider/model"; configured are: ${names.join(', ')}.`;
}

function wholeNumber(min: number, max: number): z.ZodInt {
  const shape = `a whole number from ${min} to ${max}`;
  return z.int(shape).min(min, shape).max(max, shape);
}
