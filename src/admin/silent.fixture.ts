import type { Log } from '#observe';

const silent = (): void => undefined;

export const SILENT: Log = {
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
  fatal: silent,
  child: () => SILENT,
};
