/** One thing wrong with the configuration: where it stands, what is wrong, what to do. Never holds a secret's value. */
export type ConfigProblem = { readonly setting: string; readonly what: string; readonly fix: string };

/** Everything wrong with the configuration at once, so that one restart is enough to mend it. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ setting, what, fix }) => `  ${setting}: ${what}. ${fix}`);
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${lines.join('\n')}`,
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}
