import { Link } from '@tanstack/react-router';
import { ChevronRight } from 'lucide-react';
import { useState, type MouseEvent } from 'react';
import type { Run } from '../../api/sessions.ts';
import { formatExactMoney, formatMoney, shareOf, UNKNOWN_AMOUNT } from '../../money/money.ts';
import { formatCompact, formatLatency, formatShare, plural, tokenSum, tokenWords } from '../../money/quantity.ts';
import { NO_FILTERS } from '../../search/filters.ts';
import { parseSearch } from '../../search/search.ts';
import { useSearchState } from '../../search/use-search.ts';
import { CostState, StatusMark } from '../requests/call-marks.tsx';
import { runRows, type RunRow, type Span } from './run-rows.ts';
import { SessionCost } from './session-words.tsx';

const INDENT_PX = 20;

const CELL = 'px-3 py-2 align-top leading-5 whitespace-nowrap';

/** The session's calls under the steps they belong to, with what each step cost. */
export function RunTable({ run }: { readonly run: Run }) {
  const [closed, setClosed] = useState<readonly string[]>([]);
  const toggle = (path: string): void =>
    setClosed((paths) => (paths.includes(path) ? paths.filter((each) => each !== path) : [...paths, path]));
  const rows = runRows(run, (path) => closed.includes(path));
  const hidden = run.pagination.total - run.calls.length;
  return (
    <section aria-labelledby="calls-heading" className="rounded-lg border border-line bg-surface shadow-card">
      <h2 id="calls-heading" className="px-4 pt-3 pb-2 text-[13px] font-semibold">
        {run.steps === 0 ? 'Turns' : 'Steps and calls'}
      </h2>
      <div className="relative overflow-x-auto">
        <table className="w-full border-collapse text-[13px]">
          <caption className="sr-only">What each step and each call of the session cost</caption>
          <thead>
            <tr className="h-8 border-b border-line text-left text-xs text-ink-2 [&>th]:font-medium [&>th]:whitespace-nowrap">
              <th scope="col" className="pl-4">
                {run.steps === 0 ? 'Call' : 'Step'}
              </th>
              <th scope="col" className="hidden px-3 lg:table-cell">
                Timeline
              </th>
              <th scope="col" className="hidden px-3 text-right sm:table-cell">
                Began
              </th>
              <th scope="col" className="hidden px-3 text-right md:table-cell">
                Tokens
              </th>
              <th scope="col" className="hidden px-3 text-right sm:table-cell">
                Took
              </th>
              <th scope="col" className="hidden px-3 text-right sm:table-cell">
                Share
              </th>
              <th scope="col" className="pr-4 pl-3 text-right">
                Cost
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) =>
              row.kind === 'step' ? (
                <StepRow
                  key={`step ${row.step.path}`}
                  row={row}
                  run={run}
                  branch={{ open: !closed.includes(row.step.path ?? ''), toggle: () => toggle(row.step.path ?? '') }}
                />
              ) : (
                <CallRow key={row.call.entry_id} row={row} run={run} />
              ),
            )}
          </tbody>
        </table>
      </div>
      {hidden > 0 && <More hidden={hidden} id={run.session_id} />}
    </section>
  );
}

type StepRowProps = {
  readonly row: Extract<RunRow, { kind: 'step' }>;
  readonly run: Run;
  readonly branch: { readonly open: boolean; readonly toggle: () => void };
};

function StepRow({ row: { step, depth, span }, run, branch }: StepRowProps) {
  const tokens = step.input_tokens + step.output_tokens;
  return (
    <tr
      onClick={branch.toggle}
      className="group cursor-pointer border-b border-line bg-page last:border-0 hover:bg-hover"
    >
      <th scope="row" className="w-full max-w-0 py-2 pr-3 pl-4 text-left align-top font-normal lg:w-[38%]">
        <span className="flex items-center gap-1.5" style={{ paddingLeft: depth * INDENT_PX }}>
          <button
            type="button"
            aria-expanded={branch.open}
            aria-label={`What is in the step ${step.path}`}
            onClick={(event) => {
              event.stopPropagation();
              branch.toggle();
            }}
            className="grid size-5 shrink-0 place-items-center rounded text-ink-3 group-hover:text-ink"
          >
            <ChevronRight aria-hidden className={`size-3.5 transition-transform ${branch.open ? 'rotate-90' : ''}`} />
          </button>
          <span className="truncate leading-5 font-medium" title={step.path ?? ''}>
            {step.step}
          </span>
          <span className="shrink-0 text-xs text-ink-3">{plural(step.turns, 'call')}</span>
        </span>
      </th>
      <Timeline span={span} wholeMs={run.duration_ms} look="bg-ink-3/50" />
      <Figures
        cells={{
          fromMs: span.fromMs,
          tookMs: span.toMs - span.fromMs,
          tokens,
          tokensTitle: tokenWords(step),
          share: shareOf(step.cost_exact, run.cost_exact),
        }}
      />
      <td className="py-2 pr-4 pl-3 text-right align-top leading-5 whitespace-nowrap">
        <SessionCost of={step} />
      </td>
    </tr>
  );
}

type CallRowProps = { readonly row: Extract<RunRow, { kind: 'call' }>; readonly run: Run };

function CallRow({ row: { call, turn, depth, span }, run }: CallRowProps) {
  const [search, change] = useSearchState();
  const open = (click: MouseEvent): void => {
    click.stopPropagation();
    change({ call: call.entry_id ?? '' });
  };
  const cost = call.cost_usd_exact;
  return (
    <tr
      onClick={open}
      data-open={search.call === call.entry_id}
      className="group cursor-pointer border-b border-line last:border-0 hover:bg-hover data-[open=true]:bg-accent-soft"
    >
      <td className="w-full max-w-0 py-2 pr-3 pl-4 align-top lg:w-[38%]">
        <span className="flex items-center gap-2" style={{ paddingLeft: depth * INDENT_PX }}>
          <button
            type="button"
            onClick={open}
            aria-label={`Open call ${turn}`}
            className="w-5 shrink-0 rounded-sm text-right text-xs text-ink-3 decoration-line-strong underline-offset-4 group-hover:text-ink group-hover:underline"
          >
            {turn}
          </button>
          <span className="truncate leading-5" title={`${call.provider}/${call.model}`}>
            {call.model}
          </span>
          {!call.success && <StatusMark event={call} />}
        </span>
      </td>
      <Timeline span={span} wholeMs={run.duration_ms} look={call.success ? 'bg-accent' : 'bg-bad'} />
      <Figures
        cells={{
          fromMs: span.fromMs,
          tookMs: call.latency_ms,
          tokens: tokenSum(call),
          tokensTitle: tokenWords(call),
          share: cost === null ? null : shareOf(cost, run.cost_exact),
        }}
      />
      <td className="py-2 pr-4 pl-3 text-right align-top leading-5 whitespace-nowrap">
        <span className="inline-flex items-center gap-2">
          {call.cost_state !== 'exact' && <CostState state={call.cost_state} />}
          <span title={cost === null ? 'Not known' : formatExactMoney(cost)}>
            {cost === null ? UNKNOWN_AMOUNT : formatMoney(cost)}
          </span>
        </span>
      </td>
    </tr>
  );
}

type FiguresProps = {
  readonly cells: {
    readonly fromMs: number;
    readonly tookMs: number;
    readonly tokens: number | null;
    readonly tokensTitle: string;
    readonly share: number | null;
  };
};

function Figures({ cells: { fromMs, tookMs, tokens, tokensTitle, share } }: FiguresProps) {
  return (
    <>
      <td className={`${CELL} hidden text-right text-ink-2 sm:table-cell`}>+{formatLatency(fromMs)}</td>
      <td className={`${CELL} hidden text-right md:table-cell`} title={tokensTitle}>
        {tokens === null ? UNKNOWN_AMOUNT : formatCompact(tokens)}
      </td>
      <td className={`${CELL} hidden text-right text-ink-2 sm:table-cell`}>{formatLatency(tookMs)}</td>
      <td className={`${CELL} hidden text-right text-xs text-ink-2 sm:table-cell`}>
        {share === null ? UNKNOWN_AMOUNT : formatShare(share)}
      </td>
    </>
  );
}

type TimelineProps = { readonly span: Span; readonly wholeMs: number; readonly look: string };

/** When it ran within the session. The figures beside it say the same to who cannot see it. */
function Timeline({ span: { fromMs, toMs }, wholeMs, look }: TimelineProps) {
  const percent = (ms: number): number => (wholeMs <= 0 ? 0 : Math.max(0, Math.min(100, (ms / wholeMs) * 100)));
  return (
    <td aria-hidden className="hidden w-[26%] min-w-36 px-3 py-2 align-top lg:table-cell">
      <span className="relative block h-5">
        <span className="absolute inset-x-0 top-2 h-1 rounded-full bg-sunken" />
        <span
          className={`absolute top-1.5 h-2 min-w-1 rounded-full ${look}`}
          style={{ left: `min(${percent(fromMs)}%, calc(100% - 4px))`, width: `${percent(toMs - fromMs)}%` }}
        />
      </span>
    </td>
  );
}

function More({ hidden, id }: { readonly hidden: number; readonly id: string }) {
  return (
    <p className="border-t border-line px-4 py-2 text-[13px] text-ink-2">
      {plural(hidden, 'more call')} not shown; the costs of steps count them.{' '}
      <Link
        to="/ui/requests"
        search={(previous) => ({ ...parseSearch(previous), ...NO_FILTERS, session_id: id, page: 1, call: '' })}
        className="text-accent underline underline-offset-4"
      >
        See all requests of the session
      </Link>
    </p>
  );
}
