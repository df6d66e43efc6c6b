import { useEffect, useRef } from 'react';

type SecretFieldProps = {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly problem: string | null;
  readonly focus: 'first' | 'later';
  readonly autoComplete?: 'current-password' | 'new-password';
};

/** A field for what nobody should read over a shoulder, with what is wrong with it. */
export function SecretField(props: SecretFieldProps) {
  const { id, label, value, onChange, problem, focus, autoComplete = 'current-password' } = props;
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (focus === 'first') field.current?.focus();
  }, [focus]);
  return (
    <>
      <label htmlFor={id} className="mt-4 block text-[13px] font-medium">
        {label}
      </label>
      <input
        id={id}
        type="password"
        required
        ref={field}
        autoComplete={autoComplete}
        spellCheck={false}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        aria-invalid={problem !== null}
        aria-describedby={problem === null ? undefined : `${id}-problem`}
        className="mt-1.5 h-9 w-full rounded-md border border-line-strong bg-surface px-2.5 font-mono text-[13px] shadow-card aria-invalid:border-bad"
      />
      {problem !== null && (
        <p id={`${id}-problem`} role="alert" className="mt-2 text-[13px] text-bad">
          {problem}
        </p>
      )}
    </>
  );
}
