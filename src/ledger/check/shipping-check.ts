import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { boundariesIn, type Shipping } from '../store/boundaries.ts';
import { quarantineIn } from '../store/quarantine.ts';
import { ENTRIES } from '../store/schema.ts';
import type { Findings } from './finding.ts';
import type { StoreSession } from './store-session.ts';

/** How far the store is said to be with a node's entries, by the files beside it. */
export type ShippingState = {
  /** Where the files are, from the data directory. */
  readonly folder: string;
  readonly shipping: Shipping | null;
  /** Numbers of the entries the store would not take. */
  readonly aside: readonly number[];
};

/** @param folder of the files, from the data directory: `store`, or of an adopted node a folder in it */
export async function readShipping(dir: string, folder: string): Promise<ShippingState> {
  const storeDir = join(dir, folder);
  const shipping = await boundariesIn(storeDir).read();
  // Listing makes the folder; a doctor makes nothing.
  const aside = existsSync(join(storeDir, 'quarantine')) ? await quarantineIn(storeDir).list() : [];
  return { folder, shipping, aside };
}

export type ShippedJournal = {
  readonly nodeId: string | null;
  readonly lastSeq: number | null;
  readonly server: 'running' | 'stopped';
};

/** The journal's side: nothing is shipped that it does not have, and what stands aside is known. */
export function checkShipping(
  { folder, shipping, aside }: ShippingState,
  { nodeId, lastSeq, server }: ShippedJournal,
  findings: Findings,
): void {
  const place = { file: `${folder}/shipping.json` };
  for (const seq of aside)
    findings.fault('store.quarantine', 'the store refuses it', { file: `${folder}/quarantine/${seq}.json`, seq });
  if (shipping === null) {
    // A running server is about to ship the first of them.
    if (server === 'stopped' && lastSeq !== null && lastSeq > 0)
      findings.notice('store.shipping', 'what was shipped is not known; the next start builds the store anew', place);
    return;
  }
  if (nodeId !== null && shipping.nodeId !== nodeId)
    findings.fault('store.shipping', `it is about ${shipping.nodeId}, not ${nodeId}`, place);
  if (shipping.rebuilding) findings.notice('store.shipping', 'the store is being rebuilt', place);
  if (shipping.through > (lastSeq ?? 0))
    findings.fault(
      'store.shipping',
      `entry ${shipping.through} was shipped, and the journal ends at ${lastSeq ?? 0}`,
      place,
    );
  if (shipping.quarantined !== aside.length)
    findings.fault(
      'store.quarantine',
      `${shipping.quarantined} entries stand aside, and ${aside.length} files are there`,
      place,
    );
}

export type StoredFigures = { readonly rows: number; readonly lastSeq: number };

/** What of a node is compared. `retiredSeq`: entries up to here are in the store only, their journal files are gone on purpose. */
export type StoredNode = { readonly nodeId: string; readonly retiredSeq: number; readonly findings: Findings };

/** The store's side: it has every entry that was shipped, and none that was not. */
export async function checkStored(
  store: StoreSession,
  { shipping, aside }: ShippingState,
  { nodeId, retiredSeq, findings }: StoredNode,
): Promise<StoredFigures> {
  const through = shipping?.through ?? 0;
  const sent = Math.max(through, shipping?.sending?.last ?? 0, ...(shipping?.pieces ?? []).map(({ last }) => last));
  const [row] = await store.query<{ all: string; shipped: string; retired: string; last: string }>(
    `SELECT toString(count()) AS all, toString(countIf(seq > {retired:UInt64} AND seq <= {through:UInt64})) AS shipped,
       toString(countIf(seq <= {retired:UInt64})) AS retired, toString(max(seq)) AS last
     FROM ${ENTRIES} WHERE node_id = {node:String}`,
    { through, retired: retiredSeq, node: nodeId },
  );
  const figures = { rows: Number(row?.all), lastSeq: Number(row?.last) };
  const place = { file: 'store' };
  if (Number(row?.retired) < retiredSeq)
    findings.notice(
      'store.shipping',
      `it has ${row?.retired} of the ${retiredSeq} entries whose journal files are gone`,
      place,
    );
  if (shipping === null) return figures;
  const owed = Math.max(0, through - retiredSeq) - aside.filter((seq) => seq > retiredSeq && seq <= through).length;
  if (Number(row?.shipped) !== owed)
    findings.fault('store.shipping', `it has ${row?.shipped} of the ${owed} entries that were shipped`, place);
  if (figures.lastSeq > sent)
    findings.fault('store.shipping', `it has entry ${figures.lastSeq}, and nothing beyond ${sent} was sent`, place);
  return figures;
}
