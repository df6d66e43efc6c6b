import type { ComponentProps } from 'react';

const LOOKS = {
  plain: 'border border-line-strong bg-surface text-ink hover:bg-hover shadow-card',
  primary: 'border border-transparent bg-accent text-accent-ink hover:opacity-90',
  quiet: 'border border-transparent text-ink-2 hover:bg-sunken hover:text-ink',
} as const;

type ButtonProps = ComponentProps<'button'> & { readonly look?: keyof typeof LOOKS };

export function Button({ look = 'plain', className = '', ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={`inline-flex h-8 items-center justify-center gap-1.5 rounded-md px-2.5 text-[13px] font-medium whitespace-nowrap transition-colors disabled:opacity-50 ${LOOKS[look]} ${className}`}
    />
  );
}

/** A square button whose meaning is in its label, which it always has. */
export function IconButton({ className = '', ...rest }: ButtonProps & { readonly 'aria-label': string }) {
  return <Button look="quiet" title={rest['aria-label']} {...rest} className={`w-8 shrink-0 !px-0 ${className}`} />;
}
