import { statSync } from 'node:fs';
import { join } from 'node:path';
import { ApportionError } from '#terms';

const ROOT = 0;

/** For commands that make files in a data directory: root's own could not be read by a server that runs as somebody else. */
export function refuseForeignRoot(dir: string): void {
  const owner = statSync(join(dir, 'node.json'), { throwIfNoEntry: false })?.uid ?? ROOT;
  if (process.geteuid?.() !== ROOT || owner === ROOT) return;
  throw new ApportionError(
    'conflict',
    `${dir} is of user ${owner}, and you are root: the server could not read what is made now.`,
    {
      hint: `Run it as that user: sudo -u '#${owner}' …`,
    },
  );
}
