import type { ReactNode } from 'react';

export const FIELD =
  'h-8 rounded-md border border-line-strong bg-surface px-2.5 text-[13px] shadow-card placeholder:text-ink-3';

type SelectProps = {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly children: ReactNode;
};

export function Select({ label, value, onChange, children }: SelectProps) {
  return (
    <select
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      className="h-8 rounded-md border border-line-strong bg-surface px-2 text-[13px] shadow-card"
    >
      {children}
    </select>
  );
}

type SectionProps = {
  readonly id: string;
  readonly title: string;
  readonly note?: string;
  readonly action?: ReactNode;
  readonly children: ReactNode;
};

export function Section({ id, title, note, action, children }: SectionProps) {
  return (
    <section aria-labelledby={id} className="rounded-lg border border-line bg-surface shadow-card">
      <div className="flex flex-wrap items-center gap-2 px-4 pt-3 pb-3">
        <h2 id={id} className="mr-auto text-[13px] font-semibold">
          {title}
          {note !== undefined && <span className="ml-2 font-normal text-ink-3">{note}</span>}
        </h2>
        {action}
      </div>
      {children}
    </section>
  );
}

/** A line where a list is empty. */
export function Nothing({ children }: { readonly children: ReactNode }) {
  return <p className="border-t border-line px-4 py-4 text-[13px] text-ink-2">{children}</p>;
}

export function Refusal({ error }: { readonly error: Error | null }) {
  if (error === null) return null;
  return (
    <p role="alert" className="px-4 pb-3 text-[13px] text-bad">
      {error.message}
    </p>
  );
}
