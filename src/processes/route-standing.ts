import type { DeploymentLimits, Strategy } from '#config';

/** How a route of the settings stands in the gateway process. */
export type RouteStanding = {
  readonly name: string;
  readonly strategy: Strategy;
  readonly sticky: boolean;
  readonly deployments: readonly DeploymentStanding[];
  readonly fallbacks: readonly string[];
};

export type DeploymentStanding = {
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  readonly weight: number;
  readonly tags: readonly string[];
  readonly limits: DeploymentLimits;
  /** `closed` takes calls, `open` rests after failures, `half_open` takes one call at a time. */
  readonly state: 'closed' | 'open' | 'half_open';
  readonly running: number;
  /** Milliseconds on average, of streams and of answers at once; null where nothing recent is known. */
  readonly firstByteMs: { readonly stream: number | null; readonly whole: number | null };
  /** In the window that the failure rate is taken over. */
  readonly recent: { readonly calls: number; readonly failures: number };
};
