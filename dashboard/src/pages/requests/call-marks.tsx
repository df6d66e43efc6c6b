import type { CallEvent } from '../../api/events.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';

const STATES: Readonly<Record<string, { readonly tone: Tone; readonly words: string; readonly meaning: string }>> = {
  exact: { tone: 'neutral', words: 'exact', meaning: 'Reported usage times known prices.' },
  reported: { tone: 'neutral', words: 'reported', meaning: 'The provider reported this cost itself.' },
  partial_exact: {
    tone: 'warn',
    words: 'partly exact',
    meaning: 'The call broke off: its input is as the provider reported it, its output is estimated.',
  },
  estimated: { tone: 'warn', words: 'estimated', meaning: 'The provider reported no usage; the tokens are estimated.' },
  incomplete: {
    tone: 'warn',
    words: 'incomplete',
    meaning: 'Part of the usage has no known price and is not in the cost.',
  },
  unpriced: { tone: 'warn', words: 'unpriced', meaning: 'No price is known. The cost is unknown, not zero.' },
  in_doubt: {
    tone: 'bad',
    words: 'in doubt',
    meaning: 'The answer was lost: it may have been billed, and nothing says how much.',
  },
};

export function costStateWords(state: string): string {
  return STATES[state]?.words ?? state.replaceAll('_', ' ');
}

/** How far the cost can be trusted. */
export function CostState({ state }: { readonly state: string }) {
  const known = STATES[state];
  if (known === undefined) return <Badge>{state}</Badge>;
  if (known.tone === 'neutral') {
    return (
      <span title={known.meaning} className="inline-block align-top text-xs leading-5 text-ink-3">
        {known.words}
      </span>
    );
  }
  return (
    <Badge tone={known.tone} title={known.meaning}>
      {known.words}
    </Badge>
  );
}

export function costStateMeaning(state: string): string {
  return STATES[state]?.meaning ?? state;
}

const RESOLVED: Readonly<Record<string, string>> = {
  resolved_cost: 'It was in doubt, or unknown: somebody stated the cost.',
  resolved_zero: 'It was in doubt: somebody declared that it was not billed.',
  resolved_at_risk: 'Nobody knows what it cost: what was reserved for it is booked.',
  resolved_estimate: 'Nobody knows what it cost: it is estimated by what calls of the model come to.',
};

/** How a doubt about the cost ended, where one did. */
export function resolvedWords(reason: string | null): string | undefined {
  return reason === null ? undefined : RESOLVED[reason];
}

export function StatusMark({ event }: { readonly event: Pick<CallEvent, 'status' | 'success'> }) {
  const look = event.success ? 'bg-good' : 'bg-bad';
  return (
    <span
      className={`inline-flex h-5 items-center gap-1.5 align-top text-xs ${event.success ? 'text-ink-2' : 'text-bad'}`}
    >
      <span aria-hidden className={`size-1.5 rounded-full ${look}`} />
      {event.status.replaceAll('_', ' ')}
    </span>
  );
}
