/**
 * Is: the settings of one server, read once at start from the environment and one optional file.
 * Owns: names, defaults and checks of all settings, and the environment. Not: what a setting does.
 * Holds: a `Config` is complete and checked; no message shows a secret.
 * Fails: `ConfigError` with every problem at once, each naming the setting and the fix.
 */
export { type ClickHouseConfig } from './clickhouse.ts';
export { describeConfig } from './describe.ts';
export { inheritedEnvironment } from './environment.ts';
export { loadConfig, type Config, type ConfigSources } from './load.ts';
export { ConfigError, type ConfigProblem } from './problem.ts';
export {
  NO_LIMITS,
  NO_ROUTING,
  type Cooldown,
  type DeploymentLimits,
  type ModelRoute,
  type RetryPolicy,
  type RouteDeployment,
  type RoutingConfig,
  type Strategy,
  type TagRouting,
} from './routing.ts';
export { type OidcConfig } from './oidc.ts';
export { type PricesConfig } from './prices.ts';
export { type ProviderConfig, type ProviderTimeouts } from './provider-entry.ts';
export { readAtPlace, type Places } from './read-at-place.ts';
export { type LogLevel } from './settings.ts';
export { type TagsConfig } from './tags.ts';
