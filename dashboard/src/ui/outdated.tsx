import type { ReactNode } from 'react';

type OutdatedProps = {
  /** True while the figures on show still belong to the question before. */
  readonly when: boolean;
  readonly children: ReactNode;
};

/** Greys out figures that a change of filters made old, and keeps them from being clicked, until the new ones are here. */
export function Outdated({ when, children }: OutdatedProps) {
  return (
    <div
      aria-busy={when}
      className="space-y-4 transition-opacity aria-busy:pointer-events-none aria-busy:opacity-50 aria-busy:delay-150"
    >
      {children}
    </div>
  );
}
