/** Holds a place while figures are on their way, so that nothing jumps when they come. */
export function Skeleton({ className }: { readonly className: string }) {
  return (
    <span
      aria-hidden
      className={`block animate-[pulse-soft_1.6s_ease-in-out_infinite] rounded bg-sunken ${className}`}
    />
  );
}
