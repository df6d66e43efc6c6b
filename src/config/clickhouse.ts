import { type ConfigProblem } from './problem.ts';
import { SETTINGS, type Setting } from './settings.ts';

/** A ClickHouse server that has the store, instead of chDB in the data directory. */
export type ClickHouseConfig = {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly database: string;
  /** The certificate, or the chain of them, that signed the server's; null: those the system trusts. */
  readonly caCertificate: string | null;
  /** Its replicas, by the name they have for themselves; null: it is alone. */
  readonly cluster: string | null;
};

type Sources = {
  readonly read: <T>(setting: Setting<T>) => T;
  readonly readFile: (path: string) => string;
};

/** @returns null when no server is named */
export function readClickHouse({ read, readFile }: Sources): {
  clickHouse: ClickHouseConfig | null;
  problems: ConfigProblem[];
} {
  const url = read(SETTINGS.clickHouseUrl);
  const cluster = read(SETTINGS.clickHouseCluster);
  const [username, password] = [read(SETTINGS.clickHouseUser), read(SETTINGS.clickHousePassword)];
  const database = read(SETTINGS.clickHouseDatabase);
  const caFile = read(SETTINGS.clickHouseCaFile);
  if (url === null) return { clickHouse: null, problems: [] };
  const problems: ConfigProblem[] = [];
  const caCertificate = caFile === null ? null : readCertificate(caFile, { readFile, problems });
  return { clickHouse: { url, username, password: password ?? '', database, caCertificate, cluster }, problems };
}

function readCertificate(
  path: string,
  { readFile, problems }: { readFile: Sources['readFile']; problems: ConfigProblem[] },
): string | null {
  const setting = SETTINGS.clickHouseCaFile.env;
  const fix = 'Name a PEM file with the certificate of the authority that signed the server’s.';
  try {
    const text = readFile(path);
    if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
    problems.push({ setting, what: `the file ${path} holds no certificate`, fix });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    problems.push({ setting, what: `the file ${path} cannot be read (${why})`, fix });
  }
  return null;
}
