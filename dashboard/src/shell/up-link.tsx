import { Link } from '@tanstack/react-router';
import { ChevronLeft } from 'lucide-react';
import { parseSearch } from '../search/search.ts';

type UpLinkProps = { readonly to: '/ui/sessions' | '/ui/tags'; readonly children: string };

/** From one thing back to the list of them, with period and filters as they were. */
export function UpLink({ to, children }: UpLinkProps) {
  return (
    <Link
      to={to}
      search={(previous) => ({ ...parseSearch(previous), page: 1, call: '' })}
      className="-ml-0.5 inline-flex items-center gap-0.5 text-xs text-ink-2 hover:text-ink"
    >
      <ChevronLeft aria-hidden className="size-3.5" />
      {children}
    </Link>
  );
}
