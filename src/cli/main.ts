#!/usr/bin/env node
import { createConsole } from '#observe';
import { ConfigError } from '#config';
import { describeSystemError, systemClock } from '#std';
import { ApportionError } from '#terms';
import { UsageError, type Command, type ExitCode } from './command.ts';

/** Loaded when asked for: the doctor brings the store's engine, which nothing else here needs. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  doctor: async () => (await import('./doctor.ts')).doctor,
  verify: async () => (await import('./verify.ts')).verify,
  keys: async () => (await import('./keys.ts')).keys,
  backup: async () => (await import('./backup.ts')).backup,
  restore: async () => (await import('./restore.ts')).restore,
  adopt: async () => (await import('./adopt.ts')).adopt,
  'clickhouse-schema': async () => (await import('./clickhouse-schema.ts')).clickHouseSchema,
};

const terminal = createConsole();

async function main(args: readonly string[]): Promise<ExitCode> {
  const [name = 'help', ...rest] = args;
  if (name === 'help' || name === '--help' || name === '-h') return help();
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) {
    terminal.complain(`There is no command "${name}".`);
    await help();
    return 2;
  }
  const command = await load();
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.say(usageText(command));
    return 0;
  }
  try {
    return await command.run(rest, { terminal, clock: systemClock });
  } catch (error) {
    if (error instanceof UsageError) terminal.complain(`${error.message}\n${usageText(command)}`);
    else terminal.complain(failureText(error));
    return 2;
  }
}

async function help(): Promise<ExitCode> {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  const lines = commands.flatMap(({ usage, says }) => [
    ...usage.map((one) => `  apportion ${one}`),
    `      ${says}`,
    '',
  ]);
  terminal.say(
    [
      'The apportion command works on a data directory: the one of the settings, or --data-dir.',
      '',
      ...lines,
      '  npm start runs the server. Exit codes: 0 done, 1 something is off, 2 it could not be done or found out.',
    ].join('\n'),
  );
  return 0;
}

function usageText({ usage, says }: Command): string {
  return [...usage.map((one) => `  apportion ${one}`), `      ${says}`].join('\n');
}

function failureText(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof ApportionError) return `${error.message}${error.hint === null ? '' : ` ${error.hint}`}`;
  const refused = describeSystemError(error);
  if (refused !== null) return refused;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

// Engines and keep-alive connections hold a process open that has nothing left to do.
process.exit(await main(process.argv.slice(2)));
