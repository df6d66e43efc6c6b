import { resolve } from 'node:path';
import { adoptNode } from '#ledger/backup';
import { readOptions, UsageError, type Command } from './command.ts';
import { refuseForeignRoot } from './owner.ts';
import { readSettings } from './settings.ts';

export const adopt: Command = {
  usage: ['adopt [--data-dir DIR] OTHER_DATA_DIR'],
  says: 'Takes the entries of another node, stopped for ever, into this ledger. With this server running or stopped.',
  async run(args, { terminal, clock }) {
    const { values, positionals } = readOptions(args, { 'data-dir': { type: 'string' } });
    const [from, ...others] = positionals;
    if (from === undefined || others.length > 0) throw new UsageError('Whose data directory?');
    const { dataDir } = readSettings(values['data-dir']);
    refuseForeignRoot(dataDir);
    const { nodeId, epoch, firstSeq, lastSeq, inDoubt, fenced } = await adoptNode({
      from: resolve(from),
      dataDir,
      clock,
    });
    terminal.say(
      [
        lastSeq < firstSeq
          ? `${nodeId} has no entries: there was nothing to take over but its name, in epoch ${epoch}.`
          : `${nodeId}: entries ${firstSeq} to ${lastSeq} are in this ledger under its own id, in epoch ${epoch}; ${inDoubt} of them in doubt.`,
        'Reports show them within seconds, or after the next start. Its keys, teams and budgets were not taken over.',
        fenced
          ? `No server starts on ${from} any more. A copy of it that was made before knows nothing of that: keep it stopped.`
          : `${from} could not be marked: see to it that no server ever starts on it, or its calls count only there.`,
      ].join('\n'),
    );
    return fenced ? 0 : 1;
  },
};
