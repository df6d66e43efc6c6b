export type Environment = Readonly<Record<string, string | undefined>>;

/** An empty variable counts as not set: container files often write `NAME=`. */
export function readVariable(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

/** Of a process that is started by this one: as here, and what is not set here as in `defaults`. */
export function inheritedEnvironment(defaults: Environment): Environment {
  return { ...defaults, ...process.env };
}
