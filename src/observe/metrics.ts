import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { picoUsd, usdNumber, type CostState, type PicoUsd } from '#terms';

/** Callers choose model names, and every name is a time series that stays in memory for ever. */
const MAX_MODELS = 500;

const REPORTED_TOLERANCE = 1_000n;

const OTHER_MODELS = '(other)';

const SYNC_SECONDS = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5];

export type CallEnd = {
  readonly provider: string;
  readonly model: string;
  readonly status: string;
  readonly state: CostState;
  readonly cost: PicoUsd | null;
};

export type MetricAttempt = CallEnd & {
  readonly cause: 'first' | 'retry' | 'fallback';
  /** What the price book makes of it, beside a cost the provider reported. */
  readonly computedCost: PicoUsd | null;
};

/** How a deployment of the settings stands. */
export type MetricDeployment = {
  readonly id: string;
  readonly state: 'closed' | 'half_open' | 'open';
  readonly running: number;
  readonly firstByteMs: { readonly stream: number | null; readonly whole: number | null };
};

/** What `/metrics` shows. Figures for operators: money is a double here, the ledger has the exact amount. */
export type Metrics = {
  callStarted(): void;
  attemptEnded(attempt: MetricAttempt): void;
  callEnded(call: CallEnd): void;
  /** Refused before anything was sent. */
  callRefused(by: 'budget' | 'limit'): void;
  journalSynced(seconds: number): void;
  journalFailed(): void;
  /** A call that is in no ledger, because `fail_open` let it pass. */
  callUnrecorded(cost: PicoUsd | null): void;
  ledgerLag(entries: number): void;
  entriesQuarantined(entries: number): void;
  /** Shows deployments as `read` says, each time the page is asked for. */
  deployments(read: () => readonly MetricDeployment[]): void;
  /** The page in Prometheus' text format. */
  page(): Promise<{ readonly contentType: string; readonly text: string }>;
};

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'apportion_' });
  const series = createSeries(registry);
  const models = new Set<string>();
  const modelLabel = (provider: string, model: string): string => {
    const name = `${provider}/${model}`;
    if (!models.has(name) && models.size >= MAX_MODELS) return OTHER_MODELS;
    models.add(name);
    return model;
  };
  return {
    callStarted: () => series.inFlight.inc(),
    attemptEnded: ({ provider, status, state, cause, cost, computedCost }) => {
      if (cause !== 'first') series.extraAttempts.inc({ provider, cause, status });
      if (state !== 'reported' || cost === null || computedCost === null) return;
      const difference = cost > computedCost ? cost - computedCost : computedCost - cost;
      // Providers round what they report to about a nano-dollar.
      if (difference <= REPORTED_TOLERANCE) return;
      series.reportedDiffers.inc({ provider });
      series.reportedDifference.inc({ provider }, usdNumber(picoUsd(difference)));
    },
    callEnded: ({ provider, status, state, cost, ...call }) => {
      const model = modelLabel(provider, call.model);
      series.inFlight.dec();
      series.calls.inc({ provider, model, status });
      // A counter cannot fall: corrections, which may be negative, are the ledger's to report.
      if (cost !== null && cost > 0n) series.cost.inc({ state }, usdNumber(cost));
      if (state === 'unpriced') series.unpriced.inc({ provider, model });
    },
    callRefused: (by) => series.refused.inc({ by }),
    journalSynced: (seconds) => series.journalSync.observe(seconds),
    journalFailed: () => series.journalFailures.inc(),
    callUnrecorded: (cost) => {
      series.unrecorded.inc();
      if (cost !== null && cost > 0n) series.unrecordedCost.inc(usdNumber(cost));
    },
    ledgerLag: (entries) => series.ledgerLag.set(entries),
    entriesQuarantined: (entries) => series.quarantined.set(entries),
    deployments: (read) => createDeploymentSeries(registry, read),
    page: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

function createSeries(registry: Registry) {
  const registers = [registry];
  return {
    calls: new Counter({
      name: 'apportion_calls_total',
      help: 'Calls by provider, model and how they ended.',
      labelNames: ['provider', 'model', 'status'],
      registers,
    }),
    cost: new Counter({
      name: 'apportion_cost_usd_total',
      help: 'Cost of calls in USD by how far it can be trusted. Rounded: the ledger has the exact amount.',
      labelNames: ['state'],
      registers,
    }),
    unpriced: new Counter({
      name: 'apportion_unpriced_calls_total',
      help: 'Calls whose cost is unknown for want of a price.',
      labelNames: ['provider', 'model'],
      registers,
    }),
    refused: new Counter({
      name: 'apportion_refused_calls_total',
      help: 'Calls that a budget or a rate limit refused. They cost nothing and are in no ledger.',
      labelNames: ['by'],
      registers,
    }),
    ...createAttemptSeries(registry),
    inFlight: new Gauge({ name: 'apportion_calls_in_flight', help: 'Calls that run now.', registers }),
    ...createJournalSeries(registry),
    ledgerLag: new Gauge({
      name: 'apportion_ledger_lag_entries',
      help: 'Durable entries that analytics does not show yet.',
      registers,
    }),
    quarantined: new Gauge({
      name: 'apportion_quarantined_entries',
      help: 'Entries the store refused. They are in the journal and in store/quarantine, but in no report.',
      registers,
    }),
  };
}

function createAttemptSeries(registry: Registry) {
  const registers = [registry];
  return {
    extraAttempts: new Counter({
      name: 'apportion_extra_attempts_total',
      help: 'Attempts beyond the first of a call: the same model again, or another in its place.',
      labelNames: ['provider', 'cause', 'status'],
      registers,
    }),
    reportedDiffers: new Counter({
      name: 'apportion_reported_cost_differs_total',
      help: 'Attempts whose cost as the provider reported it differs from our own by more than a nano-dollar.',
      labelNames: ['provider'],
      registers,
    }),
    reportedDifference: new Counter({
      name: 'apportion_reported_cost_difference_usd_total',
      help: 'How much those differ in sum, in USD, whichever is larger.',
      labelNames: ['provider'],
      registers,
    }),
  };
}

function createJournalSeries(registry: Registry) {
  const registers = [registry];
  return {
    journalSync: new Histogram({
      name: 'apportion_journal_sync_seconds',
      help: 'Time from handing an entry over until it is durable, which every answer waits for.',
      buckets: SYNC_SECONDS,
      registers,
    }),
    journalFailures: new Counter({
      name: 'apportion_journal_failures_total',
      help: 'Times the journal could not write. Paid calls are refused from the first one on.',
      registers,
    }),
    unrecorded: new Counter({
      name: 'apportion_unrecorded_calls_total',
      help: 'Calls that passed while the journal could not write, because fail_open is set. They are in no ledger.',
      registers,
    }),
    unrecordedCost: new Counter({
      name: 'apportion_unrecorded_cost_usd_total',
      help: 'What those cost, as far as it is known, in USD.',
      registers,
    }),
  };
}

const STATES = { closed: 0, half_open: 1, open: 2 } as const;

function createDeploymentSeries(registry: Registry, read: () => readonly MetricDeployment[]): void {
  const registers = [registry];
  const state = new Gauge({
    name: 'apportion_deployment_state',
    help: 'Deployments of routes: 0 takes calls, 1 takes one at a time to see whether it is well, 2 rests after failures.',
    labelNames: ['deployment'],
    registers,
    collect: () => read().forEach((one) => state.set({ deployment: one.id }, STATES[one.state])),
  });
  const running = new Gauge({
    name: 'apportion_deployment_calls_in_flight',
    help: 'Calls that run at a deployment now.',
    labelNames: ['deployment'],
    registers,
    collect: () => read().forEach((one) => running.set({ deployment: one.id }, one.running)),
  });
  const firstByte = new Gauge({
    name: 'apportion_deployment_first_byte_seconds',
    help: 'Moving average of the time to the first byte, of streams and of answers at once; none where nobody called lately.',
    labelNames: ['deployment', 'answer'],
    registers,
    collect: () => {
      firstByte.reset();
      for (const { id, firstByteMs } of read()) {
        for (const answer of ['stream', 'whole'] as const) {
          const ms = firstByteMs[answer];
          if (ms !== null) firstByte.set({ deployment: id, answer }, ms / 1000);
        }
      }
    },
  });
}
