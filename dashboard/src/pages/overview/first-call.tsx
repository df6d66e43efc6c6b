import { Check } from 'lucide-react';
import { Tabs } from 'radix-ui';
import { UNKNOWN_AMOUNT, formatMoney } from '../../money/money.ts';
import { plural, tokenSum } from '../../money/quantity.ts';
import type { CallEvent } from '../../api/events.ts';
import { Button } from '../../ui/button.tsx';
import { PlayMoney } from '../../ui/badge.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { KEY_PLACEHOLDER, snippets } from './snippets.ts';

type FirstCallProps = { readonly event: CallEvent | null; readonly onContinue: () => void };

/** What an empty ledger shows: how to make the first call, and the first call as it comes in. */
export function FirstCall({ event, onContinue }: FirstCallProps) {
  const origin = window.location.origin;
  return (
    <div className="mx-auto w-full max-w-2xl px-4 py-10 sm:py-16">
      <h1 className="text-2xl font-semibold tracking-tight">Make the first call</h1>
      <p className="mt-2 text-ink-2">
        Keep your OpenAI SDK and change its base URL. Every call is recorded with its exact cost, by every tag you put
        on it.
      </p>
      <div className="mt-6 flex items-center justify-between gap-3 rounded-lg border border-line bg-surface py-1.5 pr-1.5 pl-4 shadow-card">
        <div className="min-w-0">
          <span className="mr-3 text-xs text-ink-3">Base URL</span>
          <code className="font-mono text-[13px] break-all">{origin}/v1</code>
        </div>
        <CopyButton text={`${origin}/v1`} label="Copy the base URL" />
      </div>
      <Tabs.Root
        defaultValue="curl"
        className="mt-4 overflow-hidden rounded-lg border border-line bg-surface shadow-card"
      >
        <Tabs.List aria-label="Language" className="flex gap-1 border-b border-line px-2">
          {snippets(origin).map(({ name }) => (
            <Tabs.Trigger
              key={name}
              value={name}
              className="-mb-px h-9 border-b-2 border-transparent px-2.5 text-[13px] font-medium text-ink-2 hover:text-ink focus-visible:-outline-offset-2 data-[state=active]:border-accent data-[state=active]:text-ink"
            >
              {name}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {snippets(origin).map(({ name, code }) => (
          <Tabs.Content key={name} value={name} className="relative">
            <div className="absolute top-2 right-2">
              <CopyButton text={code} label={`Copy the ${name} snippet`} />
            </div>
            <pre className="overflow-x-auto p-4 pt-10 font-mono text-xs/5 sm:pt-4 sm:pr-24 focus-visible:-outline-offset-2">
              {code}
            </pre>
          </Tabs.Content>
        ))}
      </Tabs.Root>
      <p className="mt-3 text-xs text-ink-3">
        Put a call key in place of {KEY_PLACEHOLDER}: the gateway printed one when it first started.{' '}
        <code>sandbox-mini</code> answers by itself and costs play money only.
      </p>
      <div className="mt-8" aria-live="polite">
        {event === null ? <Waiting /> : <Arrived event={event} onContinue={onContinue} />}
      </div>
    </div>
  );
}

function Waiting() {
  return (
    <div className="flex items-center gap-3 rounded-lg border border-dashed border-line-strong px-4 py-3.5 text-ink-2">
      <span aria-hidden className="relative grid size-2 place-items-center">
        <span className="absolute size-2 animate-[beacon_1.8s_ease-out_infinite] rounded-full bg-accent opacity-60" />
        <span className="size-2 rounded-full bg-accent" />
      </span>
      Waiting for the first call…
    </div>
  );
}

function Arrived({ event, onContinue }: { readonly event: CallEvent; readonly onContinue: () => void }) {
  const tokens = tokenSum(event);
  const cost = event.cost_usd_exact === null ? UNKNOWN_AMOUNT : formatMoney(event.cost_usd_exact);
  return (
    <div className="flex animate-[fade-in_250ms_ease-out] flex-wrap items-center gap-3 rounded-lg border border-accent bg-accent-soft px-4 py-3">
      <span aria-hidden className="grid size-6 place-items-center rounded-full bg-accent text-accent-ink">
        <Check className="size-4" />
      </span>
      <div className="min-w-0 flex-1">
        <p className="font-semibold tabular-nums">First call received: {cost}</p>
        <p className="text-xs text-ink-2">
          {event.model}
          {tokens !== null && `, ${plural(tokens, 'token')}`}
        </p>
      </div>
      {event.sandbox && <PlayMoney words="all" />}
      <Button look="primary" onClick={onContinue}>
        Open the overview
      </Button>
    </div>
  );
}
