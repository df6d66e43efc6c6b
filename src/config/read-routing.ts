import { z } from 'zod';
import { type ConfigFile } from './config-file.ts';
import { type ConfigProblem } from './problem.ts';
import { readRoutes, type Answering } from './read-routes.ts';
import { readTagRouting } from './read-tag-routing.ts';
import { NO_ROUTING, type RoutingConfig } from './routing.ts';
import { schemaProblems } from './schema-issue.ts';
import { wholeNumber } from './whole-number.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

const RETRY_FIELDS = {
  max_attempts: wholeNumber(1, 20).optional(),
  backoff_ms: wholeNumber(0, 60_000).optional(),
  max_backoff_ms: wholeNumber(0, 600_000).optional(),
  when_unknown: z.enum(['stop', 'retry']).optional(),
};

const COOLDOWN_FIELDS = {
  failures: wholeNumber(1, 1_000).optional(),
  for_ms: wholeNumber(1, DAY_MS).optional(),
  failure_rate: wholeNumber(1, 100).optional(),
  window_ms: wholeNumber(1_000, DAY_MS).optional(),
  min_calls: wholeNumber(1, 1_000_000).optional(),
};

export const RETRY_KEYS = Object.keys(RETRY_FIELDS);
export const COOLDOWN_KEYS = Object.keys(COOLDOWN_FIELDS);

const retriesSchema = z.object(RETRY_FIELDS, 'an object');
const cooldownSchema = z.object(COOLDOWN_FIELDS, 'an object');

export function readRouting(
  file: ConfigFile,
  answering: Answering,
): { readonly routing: RoutingConfig; readonly problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const routes = readRoutes(file, { answering, problems });
  const retries = readRetries(file, problems);
  const tags = readTagRouting(file);
  problems.push(...tags.problems);
  return {
    problems,
    routing: { routes, tagRouting: tags.tagRouting, retries, cooldown: readCooldown(file, problems) },
  };
}

function readCooldown(file: ConfigFile, problems: ConfigProblem[]): RoutingConfig['cooldown'] {
  const given = readSection(file, { path: ['cooldown'], schema: cooldownSchema, keys: COOLDOWN_KEYS, problems });
  const { cooldown } = NO_ROUTING;
  return {
    failures: given?.failures ?? cooldown.failures,
    forMs: given?.for_ms ?? cooldown.forMs,
    failureRate: given?.failure_rate ?? cooldown.failureRate,
    windowMs: given?.window_ms ?? cooldown.windowMs,
    minCalls: given?.min_calls ?? cooldown.minCalls,
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
