import { tableDefinitions } from '#ledger/store';
import { readOptions, refuseArguments, UsageError, type Command } from './command.ts';

const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;

export const clickHouseSchema: Command = {
  usage: ['clickhouse-schema [--database NAME] [--cluster NAME [--sharded]]'],
  says: 'Prints the tables of the store as SQL: for one ClickHouse server, for replicas, or for shards. Touches nothing.',
  run(args, { terminal }) {
    const { values, positionals } = readOptions(args, {
      database: { type: 'string', default: 'apportion' },
      cluster: { type: 'string' },
      sharded: { type: 'boolean', default: false },
    });
    refuseArguments(positionals);
    const { database, cluster = null, sharded } = values;
    for (const name of [database, cluster])
      if (name !== null && !NAME.test(name))
        throw new UsageError(`"${name}" is no name: letters, digits, _ and -, at most 64.`);
    if (sharded && cluster === null) throw new UsageError('Shards belong to a cluster: name it with --cluster.');
    const statements = tableDefinitions({ database, cluster, spread: sharded ? 'sharded' : 'replicated' });
    terminal.say(statements.map((statement) => `${statement};`).join('\n\n'));
    return Promise.resolve(0);
  },
};
