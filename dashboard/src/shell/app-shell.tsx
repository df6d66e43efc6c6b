import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import {
  Bell,
  ChartColumnStacked,
  KeyRound,
  List,
  LogOut,
  MessagesSquare,
  Receipt,
  Tags,
  Users,
  Wallet,
} from 'lucide-react';
import { useEffect, useRef } from 'react';
import { signOut, useRight } from '../api/session.ts';
import { parseSearch } from '../search/search.ts';
import { IconButton } from '../ui/button.tsx';
import { Logo } from './logo.tsx';
import { ThemeButton } from './theme-button.tsx';

const PAGES = [
  { to: '/ui/overview', label: 'Overview', Icon: ChartColumnStacked, right: 'reports' },
  { to: '/ui/requests', label: 'Requests', Icon: List, right: 'reports' },
  { to: '/ui/sessions', label: 'Sessions', Icon: MessagesSquare, right: 'reports' },
  { to: '/ui/tags', label: 'Tags', Icon: Tags, right: 'reports' },
  { to: '/ui/prices', label: 'Prices', Icon: Receipt, right: 'prices.read' },
  { to: '/ui/keys', label: 'Keys', Icon: KeyRound, right: 'teams' },
  { to: '/ui/budgets', label: 'Budgets', Icon: Wallet, right: 'budgets.read' },
  { to: '/ui/alerts', label: 'Alerts', Icon: Bell, right: 'alerts.read' },
  { to: '/ui/members', label: 'Members', Icon: Users, right: 'people' },
] as const;

export function AppShell() {
  return (
    <div className="lg:grid lg:grid-cols-[208px_minmax(0,1fr)]">
      <a
        href="#content"
        className="sr-only z-50 rounded-md bg-accent px-3 py-2 text-accent-ink focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the content
      </a>
      <header className="sticky top-0 z-20 flex items-center gap-1 border-b border-line bg-page px-3 py-2 lg:h-screen lg:flex-col lg:items-stretch lg:border-r lg:border-b-0 lg:px-3 lg:py-4">
        <div className="mr-1 sm:mr-2 lg:mr-0 lg:mb-5 lg:px-2">
          <Logo name="wide" />
        </div>
        <PageLinks />
        <div className="flex items-center gap-1 lg:justify-between lg:border-t lg:border-line lg:pt-3">
          <ThemeButton />
          <SignOutButton />
        </div>
      </header>
      <main id="content" tabIndex={-1} className="min-w-0 outline-none">
        <Outlet />
      </main>
    </div>
  );
}

/** On a small screen they scroll: the fading edge says that there are more, and the present page is kept in view. */
function PageLinks() {
  const nav = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  useEffect(() => {
    const page = PAGES.find(({ to }) => pathname.startsWith(to));
    nav.current?.querySelector(`a[href^="${page?.to}"]`)?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [pathname]);
  return (
    <nav
      ref={nav}
      aria-label="Pages"
      className="flex min-w-0 flex-1 gap-0.5 overflow-x-auto pr-6 lg:pr-0 mask-r-from-[calc(100%-1.5rem)] lg:flex-col lg:mask-none"
    >
      {PAGES.map((page) => (
        <PageLink key={page.to} page={page} />
      ))}
    </nav>
  );
}

/** Nothing where one may not see the page. */
function PageLink({ page: { to, label, Icon, right } }: { readonly page: (typeof PAGES)[number] }) {
  if (!useRight(right)) return null;
  return (
    <Link
      to={to}
      search={(previous) => ({ ...parseSearch(previous), page: 1, call: '' })}
      activeOptions={{ includeSearch: false }}
      className="flex h-8 items-center gap-2 rounded-md px-1.5 text-[13px] sm:px-2 font-medium text-ink-2 transition-colors hover:bg-sunken hover:text-ink aria-[current=page]:bg-sunken aria-[current=page]:text-ink"
    >
      <Icon aria-hidden className="hidden size-4 text-ink-3 sm:block" />
      {label}
    </Link>
  );
}

function SignOutButton() {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const leave = async (): Promise<void> => {
    await signOut();
    queryClient.clear();
    await navigate({ to: '/ui/sign-in', search: { next: '' } });
  };
  return (
    <IconButton aria-label="Sign out" onClick={() => void leave()}>
      <LogOut aria-hidden className="size-4" />
    </IconButton>
  );
}
