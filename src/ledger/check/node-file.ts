import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Findings } from './finding.ts';

const NODE = { file: 'node.json' };

/** Whose data it is; null, and a finding, when the file does not say. */
export function readNodeId(dir: string, findings: Findings): string | null {
  try {
    const json: unknown = JSON.parse(readFileSync(join(dir, NODE.file), 'utf8'));
    if (typeof json === 'object' && json !== null && 'node_id' in json && typeof json.node_id === 'string')
      return json.node_id;
    findings.fault('journal.files', 'it names no node', NODE);
  } catch (error) {
    findings.fault(
      'journal.files',
      `it cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      NODE,
    );
  }
  return null;
}
