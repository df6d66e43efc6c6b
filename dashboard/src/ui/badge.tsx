import type { ReactNode } from 'react';

const TONES = {
  neutral: 'border-line bg-sunken text-ink-2',
  good: 'border-transparent bg-good-soft text-good',
  warn: 'border-warn-line bg-warn-soft text-warn',
  bad: 'border-bad-line bg-bad-soft text-bad',
  play: 'border-dashed border-warn-line bg-transparent text-warn',
} as const;

export type Tone = keyof typeof TONES;

type BadgeProps = { readonly tone?: Tone; readonly title?: string; readonly children: ReactNode };

export function Badge({ tone = 'neutral', title, children }: BadgeProps) {
  return (
    <span
      title={title}
      className={`inline-flex h-5 items-center gap-1 rounded border align-top px-1.5 text-2xs font-medium whitespace-nowrap ${TONES[tone]}`}
    >
      {children}
    </span>
  );
}

/** Sandbox money is not real; wherever it is part of a figure, this stands beside it. In rows the first word will do. */
export function PlayMoney({ words }: { readonly words: 'all' | 'short' }) {
  return (
    <Badge
      tone="play"
      title="Play money: the sandbox provider answers by itself. Its prices are made up and nobody is billed."
    >
      {words === 'all' ? 'sandbox: play money' : 'sandbox'}
    </Badge>
  );
}
