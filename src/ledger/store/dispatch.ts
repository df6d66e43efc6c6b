import type { Clock } from '#std';
import { type Boundaries, type Shipping } from './boundaries.ts';
import type { Log } from './log.ts';
import type { Quarantine } from './quarantine.ts';
import { BatchRejected } from './rejection.ts';
import { readNext, readRange, rowsOf, totalsOf, type EntryReader, type Shipment } from './shipment.ts';
import type { Store } from './store.ts';

export type DispatchDeps = {
  readonly nodeId: string;
  readonly reader: EntryReader;
  readonly store: Pick<Store, 'insert' | 'totals' | 'ranges' | 'forget' | 'reached'>;
  readonly boundaries: Boundaries;
  readonly quarantine: Quarantine;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * The steps by which entries reach the store exactly once. Each step may fail or the process die in it; called again, it takes
 * up where the written boundaries say. Never two steps at a time. When to take them is the shipper's matter.
 *
 * Holds: `through + 1` is the first entry of `sending`; a range is in `sending` on disk before any of it is sent; a range is cut
 * only after the store refused all of it; `through - quarantined` rows of the node with `seq <= through` are in the store.
 */
export class Dispatch {
  readonly #deps: DispatchDeps;
  #shipping: Shipping;
  /** The entries of `sending`, when they were read already. */
  #shipment: Shipment | null = null;
  /** True when `sending` was perhaps inserted before: by the process that died, or by the attempt that failed. */
  #uncertain = false;

  constructor(deps: DispatchDeps) {
    this.#deps = deps;
    this.#shipping = fresh(deps.nodeId, { generation: 0, retired: 0 });
  }

  get shipping(): Shipping {
    return this.#shipping;
  }

  /** Takes up the written boundaries and compares them with the store. A store that lacks rows is rebuilt. */
  async resume(): Promise<void> {
    const { boundaries, store, nodeId } = this.#deps;
    const known = await boundaries.read();
    if (known === null || known.nodeId !== nodeId) {
      const { count } = await store.ranges(nodeId);
      if (count > 0) return await this.#rebuild('what was shipped is not known', { inStore: count });
      this.#shipping = fresh(nodeId, { generation: 0, retired: this.#deps.reader.retired() });
      return;
    }
    this.#shipping = known;
    this.#uncertain = known.sending !== null;
    if (known.rebuilding) return await this.#forget();
    // Where one stands aside its file is not removed, so all that do are beyond.
    const retired = this.#deps.reader.retired();
    const expected = known.through - retired - known.quarantined;
    const { entries } = await store.totals(nodeId, { first: retired + 1, last: known.through });
    if (entries === expected) store.reached(nodeId, known.through);
    else await this.#rebuild('the store does not have what was shipped', { expected, inStore: entries });
  }

  /** Sends one range. False when the journal does not show the entries up to `durable` yet. */
  async step(durable: number): Promise<boolean> {
    if (this.#shipping.rebuilding) await this.#forget();
    const shipment = await this.#prepare(durable);
    if (shipment === null) return false;
    this.#shipment = shipment;
    if (this.#uncertain && (await this.#isStored(shipment))) await this.#arrived(shipment);
    else await this.#send(shipment);
    return true;
  }

  /** Writes down that the last range arrived, so that the next start need not ask. */
  async settle(): Promise<void> {
    await this.#deps.boundaries.write(this.#shipping);
  }

  async #prepare(durable: number): Promise<Shipment | null> {
    const { reader } = this.#deps;
    const { sending, through } = this.#shipping;
    if (sending !== null) return this.#shipment ?? readRange(reader, sending);
    const shipment = readNext(reader, through, durable);
    if (shipment === null) return null;
    await this.#save({ ...this.#shipping, sending: { first: shipment.first, last: shipment.last } });
    return shipment;
  }

  async #send(shipment: Shipment): Promise<void> {
    const { store, nodeId } = this.#deps;
    const { first, last } = shipment;
    const lines = rowsOf(nodeId, shipment.entries);
    try {
      await store.insert({ nodeId, first, last, generation: this.#shipping.generation, lines });
    } catch (error) {
      if (error instanceof BatchRejected) return await this.#refused(shipment, error.message);
      this.#uncertain = true;
      throw error;
    }
    if (this.#uncertain && !(await this.#isStored(shipment))) {
      return await this.#rebuild('the store and the journal disagree on what was sent again', { first, last });
    }
    await this.#arrived(shipment);
  }

  async #isStored(shipment: Shipment): Promise<boolean> {
    const stored = await this.#deps.store.totals(this.#deps.nodeId, shipment);
    const owed = totalsOf(shipment.entries);
    return stored.entries === owed.entries && stored.cost === owed.cost;
  }

  async #arrived({ last }: Shipment): Promise<void> {
    await this.#moveOn({ ...this.#shipping, through: last });
  }

  /** The store took nothing of the range: halve it until the entry at fault stands alone, and set that one aside. */
  async #refused(shipment: Shipment, reason: string): Promise<void> {
    const { nodeId, log, quarantine } = this.#deps;
    const { first, last, entries } = shipment;
    const [only] = entries;
    if (first === last && only !== undefined) {
      await quarantine.put({ nodeId, seq: last, reason, body: only.body.toString() });
      log.error(
        { nodeId, seq: last, reason },
        'an entry is refused by the store and missing from reports; see quarantine',
      );
      return await this.#moveOn({ ...this.#shipping, through: last, quarantined: this.#shipping.quarantined + 1 });
    }
    const middle = first + Math.floor((last - first) / 2);
    log.warn({ nodeId, first, last, reason }, 'the store refused a batch; it is sent in halves');
    await this.#save({
      ...this.#shipping,
      sending: { first, last: middle },
      pieces: [{ first: middle + 1, last }, ...this.#shipping.pieces],
    });
    this.#shipment = { first, last: middle, entries: entries.slice(0, middle - first + 1) };
  }

  /**
   * The next piece of a cut range has to be on disk before it is sent, and so has a rising quarantine count. An arrival alone is
   * written with the next range: until then a crash sends the old one again, which the store recognises.
   */
  async #moveOn(reached: Shipping): Promise<void> {
    const [next, ...pieces] = reached.pieces;
    const shipping = { ...reached, sending: next ?? null, pieces, shippedAt: this.#deps.clock.now() };
    if (next !== undefined || reached.quarantined !== this.#shipping.quarantined) await this.#save(shipping);
    this.#shipping = shipping;
    this.#shipment = null;
    this.#uncertain = false;
    this.#deps.store.reached(shipping.nodeId, shipping.through);
  }

  async #rebuild(why: string, facts: object): Promise<void> {
    const { nodeId, log, clock } = this.#deps;
    log.error({ nodeId, ...facts }, `${why}; the store is rebuilt from the journal`);
    const generation = Math.max(clock.now(), this.#shipping.generation + 1);
    const retired = this.#deps.reader.retired();
    await this.#save({ ...fresh(nodeId, { generation, retired }), rebuilding: true });
    await this.#forget();
  }

  async #forget(): Promise<void> {
    const { nodeId, store, quarantine } = this.#deps;
    const retired = this.#deps.reader.retired();
    await store.forget(nodeId, retired);
    await quarantine.clear();
    await this.#save(fresh(nodeId, { generation: this.#shipping.generation, retired }));
  }

  async #save(shipping: Shipping): Promise<void> {
    await this.#deps.boundaries.write(shipping);
    this.#shipping = shipping;
    this.#shipment = null;
    this.#uncertain = false;
  }
}

/**
 * Nothing is sent yet. What the journal does not have any more cannot be sent: rows of it that the store has are kept, and counted by
 * nobody from now on.
 */
function fresh(
  nodeId: string,
  { generation, retired }: { readonly generation: number; readonly retired: number },
): Shipping {
  return {
    nodeId,
    generation,
    rebuilding: false,
    through: retired,
    quarantined: 0,
    sending: null,
    pieces: [],
    shippedAt: null,
  };
}
