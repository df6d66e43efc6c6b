import { readOptions, refuseArguments, type Command } from './command.ts';
import { examine, type Examination } from './doctor/examine.ts';
import { examinationText } from './doctor/print.ts';
import { readSettings } from './settings.ts';

export const doctor: Command = {
  usage: ['doctor [--data-dir DIR] [--json] [--deep]'],
  says: 'Checks every invariant of a data directory, of a running server or a stopped one. Changes nothing.',
  async run(args, { terminal, clock }) {
    const { values, positionals } = readOptions(args, {
      'data-dir': { type: 'string' },
      json: { type: 'boolean' },
      deep: { type: 'boolean' },
    });
    refuseArguments(positionals);
    const { dataDir, adminKey, totalMs, clickHouse } = readSettings(values['data-dir']);
    const examination = await examine(dataDir, {
      compare: values.deep === true ? 'rows' : 'sums',
      adminKey,
      totalMs,
      clock,
      clickHouse,
    });
    terminal.say(values.json === true ? JSON.stringify(examination, null, 2) : examinationText(examination));
    return exitCode(examination);
  },
};

function exitCode({ findings, skipped }: Examination): 0 | 1 | 2 {
  if (findings.some(({ level }) => level === 'fault')) return 1;
  return skipped.length > 0 ? 2 : 0;
}
