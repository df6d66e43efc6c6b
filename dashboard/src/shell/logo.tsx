type LogoProps = {
  /** Where there is room for the name: everywhere, or on wide screens only. */ readonly name: 'always' | 'wide';
};

export function Logo({ name }: LogoProps) {
  return (
    <span className="flex items-center gap-2 font-semibold tracking-tight">
      <svg aria-hidden viewBox="0 0 20 20" className="size-5">
        <rect width="20" height="20" rx="5" className="fill-accent" />
        <rect x="4.5" y="10.5" width="2.6" height="5" rx=".7" className="fill-accent-ink" opacity=".55" />
        <rect x="8.7" y="7.5" width="2.6" height="8" rx=".7" className="fill-accent-ink" opacity=".8" />
        <rect x="12.9" y="4.5" width="2.6" height="11" rx=".7" className="fill-accent-ink" />
      </svg>
      <span className={name === 'wide' ? 'hidden sm:inline' : ''}>Apportion</span>
    </span>
  );
}
