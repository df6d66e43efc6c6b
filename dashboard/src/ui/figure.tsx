import type { ReactNode } from 'react';

/** The page's answer in five numbers. */
export function Figures({ children }: { readonly children: ReactNode }) {
  return (
    <dl className="figures grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line shadow-card md:grid-cols-3 xl:grid-cols-5">
      {children}
    </dl>
  );
}

type FigureProps = {
  readonly label: string;
  readonly value: string;
  /** Every digit, for who points at the value. */
  readonly exact: string;
  readonly mark?: ReactNode;
  readonly children: ReactNode;
};

export function Figure({ label, value, exact, mark, children }: FigureProps) {
  return (
    <div className="flex min-h-28 flex-col bg-surface px-4 pt-3 pb-3 last:col-span-2 md:last:col-span-2 xl:last:col-span-1">
      <dt className="flex min-h-5 flex-wrap items-center justify-between gap-x-2 text-xs text-ink-2">
        {label}
        {mark}
      </dt>
      <dd className="flex flex-1 flex-col">
        <span title={exact} className="mt-0.5 text-[22px]/8 font-semibold tracking-tight">
          {value}
        </span>
        <span className="mt-auto block pt-2 text-xs text-ink-3">{children}</span>
      </dd>
    </div>
  );
}
