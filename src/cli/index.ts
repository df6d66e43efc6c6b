/**
 * Is: the `apportion` command for operators: doctor, keys, and what else is done to a data directory from outside the server.
 * Owns: arguments, exit codes, what is printed. Not: the rules (`#ledger/check`), the server itself.
 * Holds: the doctor changes nothing; a command that does says so and is audited.
 * Fails: exit code 1 when something is off, 2 when it could not be found out or the arguments make no sense.
 */
export { checkDataDir } from './doctor/examine.ts';
export type { Finding } from '#ledger/check';
