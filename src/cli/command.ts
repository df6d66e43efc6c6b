import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { Console } from '#observe';
import type { Clock } from '#std';

/** 0: done, and nothing is off. 1: something is off. 2: it could not be done or found out. */
export type ExitCode = 0 | 1 | 2;

export type CommandDeps = { readonly terminal: Console; readonly clock: Clock };

/** One word after `apportion`, in a file of its own. */
export type Command = {
  /** Each way to call it, without `apportion`: `doctor [--data-dir DIR] [--json]`. */
  readonly usage: readonly string[];
  /** One line for the list of commands. */
  readonly says: string;
  run(args: readonly string[], deps: CommandDeps): Promise<ExitCode>;
};

/** What was typed makes no sense; the usage is shown. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

type Options = NonNullable<ParseArgsConfig['options']>;

/** For commands that take options only. */
export function refuseArguments([first]: readonly string[]): void {
  if (first !== undefined) throw new UsageError(`"${first}" is not understood.`);
}

/** Options of a command; anything it does not know is a `UsageError`. */
export function readOptions<O extends Options>(args: readonly string[], options: O) {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    return { values, positionals };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
