import { scanJsonObject } from '#std';

export type CloudBody = {
  readonly version: string;
  /** What the caller said in `anthropic-beta`; empty where the cloud reads the header itself. */
  readonly betas: string;
  /** What the path says, and the body may not say again. */
  readonly without: ReadonlySet<string>;
};

/** A message's body as a cloud takes it: what Anthropic reads from headers is in it, what the path says is not. */
export function cloudBody(bytes: Buffer, { version, betas, without }: CloudBody): Buffer {
  const scan = scanJsonObject(bytes);
  if (!scan.ok) return bytes;
  const kept = scan.members
    .filter(({ key }) => !without.has(key) && key !== 'anthropic_version')
    .map(({ start, end }) => bytes.subarray(start, end));
  const names = betas.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]));
  const stated = scan.members.some(({ key }) => key === 'anthropic_beta') || names.length === 0;
  const added = [
    `"anthropic_version":${JSON.stringify(version)}`,
    ...(stated ? [] : [`"anthropic_beta":${JSON.stringify(names)}`]),
  ];
  return joinMembers([...added.map((text) => Buffer.from(text)), ...kept]);
}

const COMMA = Buffer.from(',');
const OPEN = Buffer.from('{');
const CLOSE = Buffer.from('}');

/** A JSON object of members that are JSON already. */
export function joinMembers(members: readonly Buffer[]): Buffer {
  const pieces = members.flatMap((member, at) => (at === 0 ? [member] : [COMMA, member]));
  return Buffer.concat([OPEN, ...pieces, CLOSE]);
}
