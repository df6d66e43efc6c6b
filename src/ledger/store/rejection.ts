/** The store read the batch and refused what is in it. Nothing of it was inserted; sending it again cannot help. */
export class BatchRejected extends Error {
  override readonly name = 'BatchRejected';
}

/**
 * Engine errors that blame the rows. Everything else (memory, disk, network, too many parts) blames the moment:
 * treating that as a bad row would quarantine good ones by the thousand.
 */
const DATA_ERRORS: ReadonlySet<string> = new Set([
  'ARGUMENT_OUT_OF_BOUND',
  'CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN',
  'CANNOT_READ_ARRAY_FROM_TEXT',
  'CANNOT_READ_MAP_FROM_TEXT',
  'DECIMAL_OVERFLOW',
  'INCORRECT_DATA',
  'TOO_DEEP_RECURSION',
  'TOO_LARGE_ARRAY_SIZE',
  'TOO_LARGE_STRING_SIZE',
  'TYPE_MISMATCH',
  'UNEXPECTED_DATA_AFTER_PARSED_VALUE',
  'VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE',
]);

export function blamesRows(error: unknown): error is Error {
  const name = engineErrorName(error);
  return name.startsWith('CANNOT_PARSE_') || name.startsWith('CANNOT_CONVERT_') || DATA_ERRORS.has(name);
}

/** ClickHouse's name of an error: the client over HTTP has it as `type`, chDB at the end of the message. */
export function engineErrorName(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('type' in error && typeof error.type === 'string') return error.type;
  return /\(([A-Z][A-Z0-9_]+)\)\s*$/.exec(error.message)?.[1] ?? '';
}

/** True of the answer to a question that said how many groups it may have at most. */
export function saysTooManyGroups(error: unknown): boolean {
  return error instanceof Error && engineErrorName(error.cause) === 'TOO_MANY_ROWS';
}

/** What a statement fails with that was told there are no wide entries, and met one. */
export const MET_WIDE = 'there is a wide entry';

export function saysWide(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Error && error.cause.message.includes(MET_WIDE);
}
