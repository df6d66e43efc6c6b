import type { RetryPolicy } from '#config';
import type { Choice } from '../upstreams.ts';
import type { Deployment } from './deployment.ts';

/** One deployment to try, and why it is tried. */
export type Step = Choice & {
  readonly cause: 'first' | 'retry' | 'fallback';
  /** Milliseconds to wait before; 0 where another deployment takes over. */
  readonly waitMs: number;
  /** Null where the caller named a model. */
  readonly deployment: Deployment | null;
  /** `resting`: it is called although it keeps failing, for want of others. */
  readonly as: 'well' | 'resting';
};

/** How an attempt ended, as far as the next one depends on it. */
export type Verdict = {
  /** The deployment failed in a way that another, or a later, attempt may not. */
  readonly worthAnother: boolean;
  /** This very deployment may answer if it is asked again a little later. */
  readonly passing: boolean;
  /** What the provider asked to wait; null where it did not. */
  readonly retryAfterMs: number | null;
};

export type Stop = {
  readonly choice: Choice;
  readonly deployment: Deployment | null;
  readonly role: 'own' | 'fallback';
};

type Policy = Omit<RetryPolicy, 'plainModels'>;

export type Way = {
  /** The route's name; empty when the caller named a model. */
  readonly route: string;
  /** In the order they are tried. */
  readonly stops: readonly Stop[];
  /** Those that keep failing: tried where no other one can be. */
  readonly resting: readonly Stop[];
};

const ONCE: Policy = { maxAttempts: 1, backoffMs: 0, maxBackoffMs: 0, whenUnknown: 'stop' };

/** Where to go instead of a deployment that cannot take the call: anywhere, to deployments of the route alone, or nowhere. */
export type Reach = 'any' | 'own' | 'none';

type Queued = Stop & { readonly as: Step['as'] };

/** The stops of one call: each deployment once, then over again with growing pauses, up to the limit. */
export class Itinerary {
  /** The route's name; empty when the caller named a model. */
  readonly route: string;
  readonly #policy: Policy;
  readonly #random: () => number;
  /** Stops that were not handed out yet. */
  #queue: readonly Queued[];
  #at: Queued;
  readonly #hasOwn: boolean;
  /** How many attempts the route's own deployments have, so that at least one fallback has its turn. */
  readonly #room: number;
  /** Stops where attempts were made, each once. */
  readonly #tried: Queued[] = [];
  #made = 0;

  constructor(way: Way, deps: { readonly policy: Policy; readonly random: () => number }) {
    this.route = way.route;
    this.#policy = deps.policy;
    this.#random = deps.random;
    const queue = [...way.stops.map(queuedAs('well')), ...way.resting.map(queuedAs('resting'))];
    const [first] = queue;
    if (first === undefined) throw new RangeError('an itinerary has a stop');
    this.#queue = queue;
    this.#at = first;
    this.#hasOwn = queue.some(({ role }) => role === 'own');
    const fallbacks = queue.filter(({ role, as }) => role === 'fallback' && as === first.as).length;
    const { maxAttempts } = deps.policy;
    this.#room = Math.max(1, maxAttempts - Math.min(fallbacks, maxAttempts - 1));
  }

  /** The way of a call that names no model: one deployment, once. */
  static to(choice: Choice): Itinerary {
    const way: Way = { route: '', stops: [{ choice, deployment: null, role: 'own' }], resting: [] };
    return new Itinerary(way, { policy: ONCE, random: () => 0 });
  }

  get whenUnknown(): RetryPolicy['whenUnknown'] {
    return this.#policy.whenUnknown;
  }

  /** Where it begins. */
  get destination(): Choice {
    return this.#at.choice;
  }

  first(): Step {
    return this.#go(this.#at, 0);
  }

  /** Another deployment in place of the last one, which no attempt was made at; null when there is none. */
  instead(reach: Reach): Step | null {
    const fits = ({ role, as }: Queued): boolean =>
      (reach === 'any' || (reach === 'own' && role === 'own')) && (as === 'well' || this.#made === 0);
    const stop = this.#queue.find(fits);
    return stop === undefined ? null : this.#go(stop, 0);
  }

  /** The same for one that is being asked whether it is well again: with nothing else left it is tried all the same. */
  insteadOfResting(): Step | null {
    this.#queue = [...this.#queue, { ...this.#at, as: 'resting' }];
    return this.instead('any');
  }

  /** What to try after a failed attempt; null when that was the last. */
  next(verdict: Verdict): Step | null {
    this.#made += 1;
    if (!this.#tried.some(({ choice }) => choice === this.#at.choice)) this.#tried.push(this.#at);
    if (!verdict.worthAnother || this.#made >= this.#policy.maxAttempts) return null;
    const fresh = this.#queue.find(({ role, as }) => {
      return as === this.#tried[0]?.as && (role === 'fallback' || this.#made < this.#room);
    });
    if (fresh !== undefined) return this.#go(fresh, 0);
    if (!verdict.passing) return null;
    const waitMs = this.#pause(verdict);
    const again = this.#tried[this.#made % this.#tried.length];
    // It has just failed: whether it is well is not asked again.
    return waitMs === null || again === undefined ? null : this.#go({ ...again, as: 'resting' }, waitMs);
  }

  #go(stop: Queued, waitMs: number): Step {
    this.#at = stop;
    this.#queue = this.#queue.filter((one) => one !== stop);
    const { choice, deployment, role, as } = stop;
    const cause = role === 'fallback' && this.#hasOwn ? 'fallback' : this.#made === 0 ? 'first' : 'retry';
    return { ...choice, deployment, as, cause, waitMs };
  }

  /** Doubles with each round, with jitter, so that callers who failed together do not come back together. */
  #pause({ retryAfterMs }: Verdict): number | null {
    const { backoffMs, maxBackoffMs } = this.#policy;
    if (retryAfterMs !== null && retryAfterMs > maxBackoffMs) return null;
    const round = this.#made - this.#tried.length;
    const grown = Math.min(maxBackoffMs, backoffMs * 2 ** round);
    return Math.max(retryAfterMs ?? 0, grown * (0.5 + this.#random() / 2));
  }
}

function queuedAs(as: Step['as']): (stop: Stop) => Queued {
  return (stop) => ({ ...stop, as });
}
