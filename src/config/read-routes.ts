import { z } from 'zod';
import { nearestName } from '#std';
import { parseTag } from '#tags';
import { ApportionError } from '#terms';
import { type ConfigFile } from './config-file.ts';
import { idProblems } from './deployment-ids.ts';
import { type ConfigProblem } from './problem.ts';
import { type ProviderConfig } from './provider-entry.ts';
import { findCycles } from './route-cycles.ts';
import { STRATEGIES, type DeploymentLimits, type ModelRoute, type RouteDeployment } from './routing.ts';
import { schemaProblems } from './schema-issue.ts';
import { wholeNumber } from './whole-number.ts';

const modelName = z.string().regex(/^[\x21-\x7e]{1,256}$/, 'the name of a model, such as openai/gpt-4o');

const LIMIT_FIELDS = {
  requests_per_minute: wholeNumber(1, 1_000_000_000).optional(),
  tokens_per_minute: wholeNumber(1, 1_000_000_000_000).optional(),
  parallel: wholeNumber(1, 1_000_000).optional(),
};

const DEPLOYMENT_FIELDS = {
  model: modelName,
  weight: wholeNumber(1, 1_000_000).optional(),
  tags: z.array(z.string()).optional(),
  limits: z.object(LIMIT_FIELDS, 'an object').optional(),
  id: z
    .string()
    .regex(/^[\x21-\x7e]{1,256}$/, 'a name without spaces')
    .optional(),
};

const ROUTE_FIELDS = {
  deployments: z.array(z.object(DEPLOYMENT_FIELDS, 'an object')).min(1, 'a list with at least one deployment'),
  fallbacks: z
    .array(modelName)
    .refine((names) => new Set(names).size === names.length, 'a list that names each one once')
    .optional(),
  strategy: z.enum(STRATEGIES).optional(),
  sticky: z.boolean().optional(),
};

export const ROUTE_KEYS = Object.keys(ROUTE_FIELDS);
export const DEPLOYMENT_KEYS = Object.keys(DEPLOYMENT_FIELDS);
export const LIMIT_KEYS = Object.keys(LIMIT_FIELDS);

const routeSchema = z.preprocess(
  (given) => (typeof given === 'string' ? { deployments: [{ model: given }] } : given),
  z.object(ROUTE_FIELDS, 'a model such as "openai/gpt-4o", or an object'),
);
const modelsSchema = z.record(z.string(), z.unknown(), 'an object of names and what they stand for');

type GivenDeployment = z.infer<z.ZodObject<typeof DEPLOYMENT_FIELDS>>;

/** Who can answer: the providers that are configured, by name. */
export type Answering = {
  readonly providers: readonly ProviderConfig[];
  /** Their names, those of entries with problems included, and the sandbox when it is on. */
  readonly names: readonly string[];
};

type Reading = { readonly answering: Answering; readonly problems: ConfigProblem[] };

export function readRoutes(file: ConfigFile, { answering, problems }: Reading): ModelRoute[] {
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
      const inside = typeof given === 'string' ? at.path : [...at.path, 'deployments', index];
      const place = file.named(typeof given === 'string' ? inside : [...inside, 'model']);
      problems.push(...tagProblems(deployment.tags ?? [], { file, path: [...inside, 'tags'] }));
      const read = readDeployment(deployment, { answering, place });
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
    const { strategy = 'weighted', sticky = false } = parsed.data;
    routes.push({ name, strategy, sticky, deployments, fallbacks });
  }
  problems.push(...idProblems(routes, file));
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
    ...Array.from({ length: count }, (_, index) => [...path, 'deployments', index]).flatMap((deployment) => [
      ...file.strayKeys(deployment, DEPLOYMENT_KEYS),
      ...file.strayKeys([...deployment, 'limits'], LIMIT_KEYS),
    ]),
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

/** What callers write before a tag, to leave deployments out or to insist on them. */
const OPERATORS = /^[!&]/;

function tagProblems(tags: readonly string[], { file, path }: Place): ConfigProblem[] {
  return tags.flatMap((tag, index) => {
    const setting = file.named([...path, index]);
    try {
      if (parseTag(tag) === null) return [{ setting, what: 'this tag says nothing', fix: 'Take it out.' }];
    } catch (error) {
      if (!(error instanceof ApportionError)) throw error;
      return [{ setting, what: 'this is no tag a call can have', fix: error.hint ?? error.message }];
    }
    if (!OPERATORS.test(tag)) return [];
    return [{ setting, what: 'only calls write "!" and "&" before a tag', fix: `Write "${tag.slice(1)}".` }];
  });
}

type Refusal = { readonly problem: ConfigProblem };

/** `provider/model`; a model may have slashes of its own. */
function readDeployment(
  given: GivenDeployment,
  context: { readonly answering: Answering; readonly place: string; readonly routes?: readonly string[] },
): RouteDeployment | Refusal {
  const { answering, place, routes = [] } = context;
  const { model, weight = 1, tags = [], limits } = given;
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
  return { id: given.id ?? model, provider, model: rest, weight, tags, limits: limitsOf(limits) };
}

function limitsOf(given: GivenDeployment['limits']): DeploymentLimits {
  return {
    requestsPerMinute: given?.requests_per_minute ?? null,
    tokensPerMinute: given?.tokens_per_minute ?? null,
    parallel: given?.parallel ?? null,
  };
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
