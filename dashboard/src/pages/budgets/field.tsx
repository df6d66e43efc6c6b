import type { ComponentProps, ReactNode } from 'react';

const LOOK = 'h-8 rounded-md border border-line-strong bg-surface px-2 text-[13px] shadow-card placeholder:text-ink-3';

type LabelledProps = { readonly label: string; readonly children: ReactNode };

/** A field with its name above it. */
export function Labelled({ label, children }: LabelledProps) {
  return (
    <label className="flex flex-col gap-1 text-xs text-ink-2">
      {label}
      {children}
    </label>
  );
}

export function TextField({ className = '', ...rest }: ComponentProps<'input'>) {
  return <input autoComplete="off" {...rest} className={`${LOOK} text-ink ${className}`} />;
}

type ChoiceProps<T extends string> = {
  readonly value: T;
  readonly options: readonly (readonly [T, string])[];
  readonly onPick: (value: T) => void;
  readonly 'aria-label'?: string;
};

export function Choice<T extends string>({ value, options, onPick, ...rest }: ChoiceProps<T>) {
  return (
    <select
      {...rest}
      value={value}
      onChange={(event) => {
        const picked = options.find(([one]) => one === event.target.value);
        if (picked !== undefined) onPick(picked[0]);
      }}
      className={`${LOOK} text-ink`}
    >
      {options.map(([one, words]) => (
        <option key={one} value={one}>
          {words}
        </option>
      ))}
    </select>
  );
}
