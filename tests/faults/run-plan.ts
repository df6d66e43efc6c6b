import { randomInt } from 'node:crypto';

/** How much a run of the faults does: `npm test` takes the short one, `npm run test:fault` says more by flags. */
export type RunPlan = {
  /** Decides calls, victims, moments and offsets. What runs between processes is not decided by it. */
  readonly seed: number;
  readonly kills: number;
  /** How often the other faults strike. */
  readonly rounds: number;
  /** How long the store is away. */
  readonly outageMs: number;
  readonly outagePerSecond: number;
  /** How long a scenario that only repeats itself goes on at least. */
  readonly leastMs: number;
};

const SHORT_KILLS = 20;
const SHORT_OUTAGE_MS = 6_000;
const SHORT_OUTAGE_PER_SECOND = 200;
const LONG_OUTAGE_PER_SECOND = 500;
const KILLS_PER_ROUND = 50;

export const RUN: RunPlan = planFrom(process.env);

const IS_SHORT = RUN.kills <= SHORT_KILLS && RUN.outageMs <= SHORT_OUTAGE_MS;

/** Below the ten minutes that a file has under `npm test`, for each of two scenarios in it. */
const SHORT_SCENARIO_MS = 280_000;

/** The options of a scenario: why it cannot run here, if so, and an end to its patience, so that it fails instead of hanging. */
export function scenario(skip: string | false = false): { skip: string | false; timeout: number } {
  return { skip, timeout: IS_SHORT ? SHORT_SCENARIO_MS : RUN.outageMs + RUN.kills * 60_000 + SHORT_SCENARIO_MS };
}

function planFrom(env: Readonly<Record<string, string | undefined>>): RunPlan {
  const kills = numberIn(env, 'APPORTION_FAULT_KILLS') ?? SHORT_KILLS;
  const minutes = numberIn(env, 'APPORTION_FAULT_MINUTES');
  return {
    seed: numberIn(env, 'APPORTION_TEST_SEED') ?? randomInt(1_000_000),
    kills,
    rounds: Math.max(1, Math.round(kills / KILLS_PER_ROUND)),
    outageMs: minutes === undefined ? SHORT_OUTAGE_MS : minutes * 60_000,
    outagePerSecond: minutes === undefined ? SHORT_OUTAGE_PER_SECOND : LONG_OUTAGE_PER_SECOND,
    leastMs: minutes === undefined ? 0 : minutes * 60_000,
  };
}

function numberIn(env: Readonly<Record<string, string | undefined>>, name: string): number | undefined {
  const text = env[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new Error(`${name} is a number, not ${JSON.stringify(text)}`);
}
