import { pino, stdTimeFunctions, type DestinationStream } from 'pino';

type Say = (fields: Readonly<Record<string, unknown>>, sentence: string) => void;

/** Facts as fields, then one sentence: `log.info({ seq }, 'the journal is open')`. An error goes in as `err`. */
export type Log = {
  readonly debug: Say;
  readonly info: Say;
  readonly warn: Say;
  readonly error: Say;
  readonly fatal: Say;
  /** A log whose every line carries these fields. */
  readonly child: (fields: Readonly<Record<string, unknown>>) => Log;
};

const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'api-key',
  'apiKey',
  'api_key',
  'adminKey',
  'token',
];

// A key can be inside any text (an upstream's error message, a URL), so the finished line is searched as well.
const KEY_TEXT = /\bsk-[A-Za-z0-9_-]{8,}/g;
const BEARER_TEXT = /\b(Bearer\s+)[^\s"\\,]+/gi;

/** JSON lines to stderr, each with the part of the server it comes from. Lines are few, so they are written at once. */
export function createLog(options: { level: string; part: string; stream?: DestinationStream }): Log {
  const logger = pino(
    {
      level: options.level,
      base: { part: options.part, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      redact: { paths: SECRET_FIELDS.flatMap((name) => [`["${name}"]`, `*["${name}"]`]), censor: '[secret]' },
      hooks: { streamWrite: hideKeys },
    },
    options.stream ?? pino.destination({ fd: 2, sync: true }),
  );
  return logger;
}

function hideKeys(text: string): string {
  return text.replace(KEY_TEXT, 'sk-[secret]').replace(BEARER_TEXT, '$1[secret]');
}
