import type { CallEvent } from '../../api/events.ts';
import type { Run, Step } from '../../api/sessions.ts';

/** Where something lies in the time of its session, in milliseconds from the session's begin. */
export type Span = { readonly fromMs: number; readonly toMs: number };

export type RunRow =
  | { readonly kind: 'step'; readonly step: Step; readonly depth: number; readonly span: Span }
  | {
      readonly kind: 'call';
      readonly call: CallEvent;
      /** Its place in the session, from 1. */
      readonly turn: number;
      readonly depth: number;
      readonly span: Span;
    };

type Turn = { readonly call: CallEvent; readonly turn: number; readonly span: Span };

/** A session as one list: each step with its calls and its own steps below it, in the order they began. */
export function runRows(run: Run, isClosed: (path: string) => boolean): readonly RunRow[] {
  const begin = Date.parse(run.first_at);
  const turns = run.calls.map((call, at): Turn => {
    const fromMs = Date.parse(call.timestamp) - begin;
    return { call, turn: at + 1, span: { fromMs, toMs: fromMs + call.latency_ms } };
  });
  return rowsOf(run.tree, { depth: 0, begin, turns, isClosed });
}

type Walk = {
  readonly depth: number;
  readonly begin: number;
  readonly turns: readonly Turn[];
  readonly isClosed: (path: string) => boolean;
};

function rowsOf(node: Step, walk: Walk): readonly RunRow[] {
  const { depth, turns } = walk;
  const own = turns
    .filter(({ call }) => call.session_path === node.path)
    .map((turn): readonly RunRow[] => [{ kind: 'call', depth, ...turn }]);
  const steps = node.children.map((step): readonly RunRow[] => {
    const row: RunRow = { kind: 'step', step, depth, span: spanOf(step, walk) };
    return step.path === null || walk.isClosed(step.path)
      ? [row]
      : [row, ...rowsOf(step, { ...walk, depth: depth + 1 })];
  });
  return [...own, ...steps].toSorted((left, right) => beginOf(left) - beginOf(right)).flat();
}

/** The API says when the last call of a step began; when it ended only the call itself does. */
function spanOf(step: Step, { begin, turns }: Walk): Span {
  const inside = turns.filter(({ call: { session_path: path } }) => {
    return path !== null && (path === step.path || path.startsWith(`${step.path}/`));
  });
  return {
    fromMs: Date.parse(step.first_at) - begin,
    toMs: Math.max(Date.parse(step.last_at) - begin, ...inside.map(({ span }) => span.toMs)),
  };
}

function beginOf([first]: readonly RunRow[]): number {
  return first === undefined ? 0 : first.span.fromMs;
}
