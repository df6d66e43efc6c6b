import { resolve } from 'node:path';
import { restoreBackup } from '#ledger/backup';
import { readOptions, UsageError, type Command } from './command.ts';

export const restore: Command = {
  usage: ['restore --data-dir NEW_DIR BACKUP'],
  says: 'Makes a new data directory of a backup, a folder or a .tar, after checking every byte. Writes over nothing.',
  run(args, { terminal, clock }) {
    const { values, positionals } = readOptions(args, { 'data-dir': { type: 'string' } });
    const [backup, ...others] = positionals;
    if (backup === undefined || others.length > 0) throw new UsageError('Which backup?');
    // Never the configured one: that it is empty would only be luck.
    if (values['data-dir'] === undefined) throw new UsageError('Into which directory? Name it with --data-dir.');
    const dataDir = resolve(values['data-dir']);
    const { manifest, epoch } = restoreBackup({ backup: resolve(backup), dataDir, clock });
    terminal.say(
      [
        `${dataDir}: ${manifest.node_id} with entries ${manifest.first_seq} to ${manifest.seq}, as of ${manifest.made_at}, now in epoch ${epoch}.`,
        'The first start makes the store again from the journal. Calls that ran when the backup was taken become in_doubt.',
        'The server it was taken from must not run any more: both would number their entries alike.',
      ].join('\n'),
    );
    return Promise.resolve(0);
  },
};
