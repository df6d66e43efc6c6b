import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { CallDetail } from '../../api/events.ts';
import { formatExactMoney, formatMoney, UNKNOWN_AMOUNT } from '../../money/money.ts';
import { formatLatency, tokenWords } from '../../money/quantity.ts';
import { parseSearch } from '../../search/search.ts';
import { dayIn, formatLongDay, timeIn } from '../../time/zone.ts';
import { PlayMoney } from '../../ui/badge.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { CallAmounts } from './call-amounts.tsx';
import { Adjustments, Attempts, Corrections } from './call-history.tsx';
import { CostState, costStateMeaning, resolvedWords, StatusMark } from './call-marks.tsx';
import { CallTags } from './call-tags.tsx';
import { ChargeLines } from './charge-lines.tsx';
import { useRight } from '../../api/session.ts';
import { ResolveForm } from './resolve-form.tsx';

type CallFiguresProps = { readonly call: CallDetail; readonly tz: string };

export function CallFigures({ call, tz }: CallFiguresProps) {
  const at = Date.parse(call.timestamp);
  const mayResolve = useRight('money.write');
  return (
    <div className="figures space-y-6 p-5">
      <header>
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <p className="text-2xl font-semibold tracking-tight">
            {call.cost_usd_exact === null ? UNKNOWN_AMOUNT : formatMoney(call.cost_usd_exact)}
          </p>
          <CostState state={call.cost_state} />
          {call.sandbox && <PlayMoney words="all" />}
        </div>
        <p className="mt-1 text-[13px] text-ink-2">
          {call.model} at {timeIn(tz, at)} on {formatLongDay(dayIn(tz, at))} ({tz})
        </p>
        {call.cost_state !== 'exact' && <p className="mt-1 text-[13px] text-ink-2">{doubtOf(call)}</p>}
      </header>
      {call.cost_state === 'in_doubt' && mayResolve && <ResolveForm key={call.entry_id} call={call} />}
      <CallAmounts call={call} />
      <Section title="Charges">
        <ChargeLines call={call} />
      </Section>
      {call.attempts.length > 1 && (
        <Section title="Attempts">
          <Attempts call={call} />
        </Section>
      )}
      {call.corrections.length > 0 && (
        <Section title="Corrections">
          <Corrections call={call} tz={tz} />
        </Section>
      )}
      {call.adjustments.length > 0 && (
        <Section title="Adjustments">
          <Adjustments call={call} tz={tz} />
        </Section>
      )}
      <Section title="Tags">
        <CallTags call={call} />
      </Section>
      <Section title="Call">
        <Facts call={call} />
      </Section>
      {call.usage_raw !== null && call.usage_raw !== undefined && (
        <Section title="Usage as the provider sent it">
          <pre className="overflow-x-auto rounded-md bg-sunken p-3 font-mono text-xs/5">
            {typeof call.usage_raw === 'string' ? call.usage_raw : JSON.stringify(call.usage_raw, null, 2)}
          </pre>
        </Section>
      )}
    </div>
  );
}

function doubtOf(call: CallDetail): string {
  const resolved = resolvedWords(call.cost_reason);
  if (resolved !== undefined) return resolved;
  const reason = call.cost_reason === null ? '' : ` Reason: ${call.cost_reason.replaceAll('_', ' ')}.`;
  const risk = call.at_risk_exact === null ? '' : ` At most ${formatExactMoney(call.at_risk_exact)} is at risk.`;
  return `${costStateMeaning(call.cost_state)}${reason}${risk}`;
}

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section>
      <h3 className="mb-2 text-xs font-semibold text-ink-2">{title}</h3>
      {children}
    </section>
  );
}

function Facts({ call }: { readonly call: CallDetail }) {
  const facts: readonly (readonly [string, ReactNode])[] = [
    ['Status', <StatusMark key="status" event={call} />],
    ['Error', call.error_code],
    ['Model', `${call.provider}/${call.model}`],
    ['Asked as', call.request_model === call.model ? null : call.request_model],
    ['Answered by', call.response_model === '' || call.response_model === call.model ? null : call.response_model],
    ['Tokens', tokenWords(call)],
    ['Latency', latencyOf(call)],
    ['Mode', call.stream ? 'stream' : 'whole answer'],
    ['Operation', call.operation],
    ['Route', call.route],
    ['Region', call.region],
    ['Service tier', call.service_tier],
    ['Key', call.key_name],
    ['Team of the key', call.key_team],
    ['Owner of the key', call.key_owner],
    ['Entity', call.entity_type === null ? null : `${call.entity_type}/${call.entity_id ?? ''}`],
    ['Session', call.session_id === null ? null : <SessionLink key="session" id={call.session_id} />],
    ['Step', call.session_path],
    ['Trace', call.trace_id],
    ['Price book', call.price_book],
    ['Call', <Id key="call" id={call.id} name="call id" />],
    [
      'Provider’s id',
      call.upstream_id === null ? null : <Id key="upstream" id={call.upstream_id} name="provider’s id" />,
    ],
  ];
  return (
    <dl className="grid grid-cols-[112px_minmax(0,1fr)] text-[13px]">
      {facts
        .filter(([, value]) => value !== null && value !== '')
        .map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="py-1 leading-5 text-ink-3">{name}</dt>
            <dd className="min-w-0 py-1 leading-5 break-words">{value}</dd>
          </div>
        ))}
    </dl>
  );
}

function SessionLink({ id }: { readonly id: string }) {
  return (
    <Link
      to="/ui/sessions/$id"
      params={{ id }}
      search={(previous) => ({ ...parseSearch(previous), page: 1, call: '' })}
      className="text-accent underline underline-offset-4"
    >
      {id}
    </Link>
  );
}

function latencyOf(call: CallDetail): string {
  const whole = formatLatency(call.latency_ms);
  return call.first_byte_ms === null ? whole : `${whole}, first byte after ${formatLatency(call.first_byte_ms)}`;
}

function Id({ id, name }: { readonly id: string; readonly name: string }) {
  return (
    <span className="-my-1 flex items-center gap-1">
      <code className="min-w-0 truncate font-mono text-xs">{id}</code>
      <CopyButton text={id} label={`Copy the ${name}`} />
    </span>
  );
}
