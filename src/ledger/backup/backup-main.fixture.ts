import { systemClock } from '#std';
import { backUp } from './backup.ts';
import { restoreBackup } from './restore.ts';

// Run by backup.test.ts under a tracer that kills it. Arguments: `backup` or `restore`, from, to.
const [what = '', from = '', to = ''] = process.argv.slice(2);
if (what === 'backup') await backUp({ dataDir: from, target: to, sealed: 'copied', clock: systemClock });
else restoreBackup({ backup: from, dataDir: to, clock: systemClock });
