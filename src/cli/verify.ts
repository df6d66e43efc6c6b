import { verifyChain, type Verification } from '#ledger/chain';
import { readOptions, refuseArguments, UsageError, type Command, type ExitCode } from './command.ts';
import { readSettings } from './settings.ts';

const OPTIONS = {
  'data-dir': { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  root: { type: 'string' },
  json: { type: 'boolean' },
} as const;

const DAY = /^\d{4}-\d\d-\d\d$/;
const ROOT = /^[0-9a-f]{64}$/i;

export const verify: Command = {
  usage: ['verify [--data-dir DIR] [--from DAY] [--to DAY] [--root HEX] [--json]'],
  says: 'Proves from the hash chain that no entry was changed, added or taken out, also by a root kept elsewhere.',
  async run(args, deps) {
    const { values, positionals } = readOptions(args, OPTIONS);
    refuseArguments(positionals);
    const { from, to, root } = values;
    for (const [name, day] of Object.entries({ from, to }))
      if (day !== undefined && !isDay(day)) throw new UsageError(`--${name} is a day, such as 2026-11-01.`);
    if (from !== undefined && to !== undefined && to < from) throw new UsageError('--to is before --from.');
    if (root !== undefined && !ROOT.test(root)) throw new UsageError('--root is 64 hex digits.');
    const range = {
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(root === undefined ? {} : { root }),
    };
    const startedMs = deps.clock.elapsedMs();
    const found = verifyChain(readSettings(values['data-dir']).dataDir, range);
    const seconds = (deps.clock.elapsedMs() - startedMs) / 1000;
    if (values.json === true) deps.terminal.say(JSON.stringify(found, null, 2));
    else for (const line of describe(found, seconds)) deps.terminal.say(line);
    return exitCodeOf(found);
  },
};

function isDay(text: string): boolean {
  if (!DAY.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  // The 31st of a shorter month would be a day of the next one.
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

function exitCodeOf({ broken, compared, rootAt, noneOfRange }: Verification): ExitCode {
  if (broken !== null) return 1;
  if (noneOfRange) return 2;
  return compared.heads + compared.roots > 0 || rootAt !== null ? 0 : 2;
}

function describe(found: Verification, seconds: number): string[] {
  const { nodeId, first, last, head, compared, rootAt, broken, noneOfRange } = found;
  const count = last - first + 1;
  const which = count === 0 ? 'no entries' : `entries ${first} to ${last}`;
  const read = `${nodeId}: ${which} read, ${Math.round(count / Math.max(seconds, 0.001))} a second`;
  if (broken !== null) {
    const { seq, through, why } = broken;
    const where = through > seq ? `entries ${seq} to ${through}` : `entry ${seq}`;
    return [read, `BROKEN at ${where}: ${why.replace(/\.$/, '')}.`];
  }
  if (noneOfRange) return [read, 'NO ENTRIES of these days are in the journal: nothing was verified.'];
  if (rootAt !== null)
    return [
      read,
      `INTACT: your root is the head after entry ${rootAt}; entries ${first} to ${rootAt} are as they were.`,
    ];
  if (compared.heads + compared.roots === 0)
    return [
      read,
      'NOTHING TO COMPARE WITH: nothing is written down of these entries yet. A server does so within a minute.',
      `head ${head}`,
    ];
  return [
    read,
    `INTACT by what is written down in chain/: ${compared.entries} entries, ${compared.heads} heads, ${compared.roots} daily roots agree.`,
    'Whoever can write the data directory could have written that too: give a root kept elsewhere with --root.',
    `head ${head}`,
  ];
}
