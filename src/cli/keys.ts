import { UsageError, type Command } from './command.ts';
export const keys: Command = {
  usage: ['keys reset-admin [--data-dir DIR]'],
  says: 'x',
  async run() {
    throw new UsageError('x');
  },
};
