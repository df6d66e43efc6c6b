/**
 * Is: the settings of one server, read once at start from the environment and one optional file.
 * Owns: names, defaults and checks of all settings, and the environment. Not: what a setting does.
 * Holds: a `Config` is complete and checked; no message shows a secret.
 * Fails: `ConfigError` with every problem at once, each naming the setting and the fix.
 */
export { describeConfig } from './describe.ts';
export { loadConfig, type Config, type ConfigSources } from './load.ts';
export { ConfigError, type ConfigProblem } from './problem.ts';
export { type ModelRoute, type RetryPolicy, type RoutingConfig } from './routing.ts';
export { type ProviderConfig } from './providers.ts';
export { type LogLevel } from './settings.ts';
export { readAtPlace, type TagsConfig } from './tags.ts';
