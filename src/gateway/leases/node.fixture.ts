import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Budget } from '#budgets';
import { closeInDoubt, openEntry, openJournal, type Reservation } from '#ledger';
import { createLog, createMetrics } from '#observe';
import { systemClock } from '#std';
import { makeCallId, picoUsd, type PicoUsd } from '#terms';
import { Recording } from '../recording.ts';
import { Leases } from './leases.ts';

export const CALL = picoUsd(1_000_000_000_001n);

export function budgetOf(given: Partial<Budget> = {}): Budget {
  return {
    id: 'shared',
    name: 'Ten calls in all',
    scope: [],
    counts: 'declared',
    effectiveFrom: null,
    effectiveTo: null,
    limit: picoUsd(CALL * 10n),
    window: { kind: 'total' },
    mode: 'strict',
    action: { kind: 'block' },
    outage: 'spend_lease',
    thresholds: [],
    raise: null,
    ...given,
  };
}

export type Held = {
  readonly kind: Reservation['kind'];
  readonly reason: string | null;
  /** The call ends, and has cost so much. */
  end(cost: PicoUsd): Promise<void>;
};

/** A node: a journal of its own, and the way to the others. */
export type Node = {
  govern(budgets: readonly Budget[]): Promise<void>;
  call(given?: { readonly customer?: string; readonly bound?: PicoUsd }): Promise<Held>;
  /** Spent, held and in doubt here. */
  level(): Promise<bigint>;
  /** Gives back what it has left, and ends. */
  close(): Promise<void>;
};

export async function openNode(url: string, nodeId: string): Promise<Node> {
  const dir = await mkdtemp(join(tmpdir(), 'apportion-node-'));
  const clock = systemClock;
  const log = createLog({ level: 'silent', part: 'gateway' });
  const journal = await openJournal({ dir, nodeId, clock, shared: true });
  const leases = new Leases({ url, nodeId, journal, clock, log });
  const metrics = createMetrics();
  const recording = new Recording({ journal, leases, failOpen: false, isStrict: () => true, metrics, log, clock });
  return {
    govern: async (budgets) => {
      await journal.govern({ budgets: budgets.map((budget) => ({ budget, since: null })), limits: [] });
      await leases.rulesChanged();
    },
    call: async ({ customer = 'acme', bound = CALL } = {}) => {
      const { attempt, open } = intentOf(customer, bound);
      const said = await recording.reserve(attempt, open, { expected: bound, takes: null });
      const reason = said.kind === 'refused' ? said.by.reason : null;
      const end = async (cost: PicoUsd): Promise<void> => {
        await recording.settle(attempt, closeInDoubt(open, clock.now(), 'gateway_failed'), cost);
      };
      return { kind: said.kind, reason, end };
    },
    level: async () => {
      let sum = 0n;
      for (const { spent, reserved, atRisk } of await journal.standings()) sum += spent + reserved + atRisk;
      return sum;
    },
    close: async () => {
      await leases.close();
      await journal.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

let made = 0;

function intentOf(customer: string, bound: PicoUsd): { readonly attempt: string; readonly open: string } {
  made += 1;
  const at = systemClock.now();
  const callId = makeCallId(at, Buffer.from(String(made).padStart(10, '0')));
  const open = openEntry({
    callId,
    attempt: 1,
    startedAt: at,
    cause: 'first',
    operation: 'chat',
    wire: 'openai.chat',
    stream: false,
    key: { id: 'key_1', name: 'one', team: '', owner: '' },
    tags: {
      dimensions: new Map([['customer', { value: customer, provenance: 'declared' }]]),
      labels: [],
      paths: [],
      entity: null,
      sessionId: null,
      sessionPath: null,
      traceId: null,
      conflicts: [],
      overflow: new Map(),
      sent: [],
      warnings: [],
    },
    requestModel: 'gpt-5',
    route: '',
    provider: 'openai',
    priceAs: 'openai',
    region: '',
    model: 'gpt-5',
    reserved: bound,
  });
  return { attempt: `${callId}.1`, open };
}
