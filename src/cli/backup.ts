import { resolve } from 'node:path';
import { backUp, type BackupManifest } from '#ledger/backup';
import { readOptions, UsageError, type Command } from './command.ts';
import { readSettings } from './settings.ts';

/** Names of what would become a folder, and does not look like one. */
const PACKED = /\.(?:tgz|tar\.\w+|gz|zip|zst|xz|bz2)$/i;

export const backup: Command = {
  usage: ['backup [--data-dir DIR] [--link] FOLDER', 'backup [--data-dir DIR] FILE.tar'],
  says: 'Copies journal, keys and secret as of one entry, of a running server or a stopped one, and checks the copy.',
  async run(args, { terminal, clock }) {
    const { values, positionals } = readOptions(args, { 'data-dir': { type: 'string' }, link: { type: 'boolean' } });
    const [target, ...others] = positionals;
    if (target === undefined || others.length > 0) throw new UsageError('Where to?');
    if (PACKED.test(target)) throw new UsageError('An archive is a .tar: name it so, and compress it afterwards.');
    if (values.link === true && target.endsWith('.tar')) throw new UsageError('An archive has no links.');
    const { dataDir } = readSettings(values['data-dir']);
    const manifest = await backUp({
      dataDir,
      target: resolve(target),
      sealed: values.link === true ? 'linked' : 'copied',
      clock,
    });
    terminal.say(backupText(target, manifest));
    return 0;
  },
};

function backupText(target: string, { node_id: nodeId, first_seq: first, seq, server, files }: BackupManifest): string {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return [
    `${target}: ${nodeId}, ${seq < first ? 'no entries' : `entries ${first} to ${seq}`}, ${files.length} files, ${megabytes(bytes)}.`,
    server === 'running'
      ? 'Everything that was acknowledged up to that entry is in it. The server went on.'
      : 'The server is stopped: everything it ever acknowledged is in it.',
    ...(first === 1
      ? []
      : [
          `Entries 1 to ${first - 1} are not: their retention is over, and only the store has them, which is no part of a backup.`,
        ]),
    'It holds the hashes of all keys and the secret of the data directory: keep it as safe as that. Provider keys and the',
    'configuration file are not in it. Back to a server: apportion restore.',
  ].join('\n');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
