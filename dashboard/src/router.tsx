import type { QueryClient } from '@tanstack/react-query';
import { createRootRouteWithContext, createRoute, createRouter, Outlet, redirect } from '@tanstack/react-router';
import { sessionQuery } from './api/session.ts';
import { BudgetsPage } from './pages/budgets/budgets-page.tsx';
import { AlertsPage } from './pages/alerts/alerts-page.tsx';
import { KeysPage } from './pages/keys/keys-page.tsx';
import { MembersPage } from './pages/members/members-page.tsx';
import { OverviewPage } from './pages/overview/overview-page.tsx';
import { PricesPage } from './pages/prices/prices-page.tsx';
import { RequestsPage } from './pages/requests/requests-page.tsx';
import { SessionPage } from './pages/sessions/session-page.tsx';
import { SessionsPage } from './pages/sessions/sessions-page.tsx';
import { SignInPage } from './pages/sign-in/sign-in-page.tsx';
import { WelcomePage } from './pages/sign-in/welcome-page.tsx';
import { TagKeyPage } from './pages/tags/tag-key-page.tsx';
import { TagsPage } from './pages/tags/tags-page.tsx';
import { parseSearch, readAddress, writeSearch } from './search/search.ts';
import { AppShell } from './shell/app-shell.tsx';
import { BrokenPage, MissingPage } from './shell/broken-page.tsx';

const rootRoute = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: Outlet,
  notFoundComponent: MissingPage,
  errorComponent: BrokenPage,
});

const startRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: () => {
    redirect({ to: '/ui/overview', search: parseSearch({}), replace: true, throw: true });
  },
});

const uiRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/ui',
  beforeLoad: () => {
    redirect({ to: '/ui/overview', search: parseSearch({}), replace: true, throw: true });
  },
});

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/ui/sign-in',
  validateSearch: (raw: Record<string, unknown>) => ({
    next: localPath(raw['next']),
    ...(typeof raw['problem'] === 'string' ? { problem: raw['problem'] } : {}),
  }),
  component: SignInPage,
});

const welcomeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/ui/welcome',
  component: WelcomePage,
});

/** Pages behind the sign-in. They share one search: going from one to the other keeps period and filters. */
const appRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'app',
  validateSearch: parseSearch,
  beforeLoad: async ({ context, location }) => {
    const { user } = await context.queryClient.ensureQueryData(sessionQuery);
    if (user === null) redirect({ to: '/ui/sign-in', search: { next: location.href }, replace: true, throw: true });
  },
  component: AppShell,
});

const overviewRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/ui/overview',
  component: OverviewPage,
});

const requestsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/ui/requests',
  component: RequestsPage,
});

const sessionsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/ui/sessions',
  component: SessionsPage,
});

const sessionRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/ui/sessions/$id',
  component: SessionPage,
});

const tagsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/ui/tags',
  component: TagsPage,
});

const tagKeyRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/ui/tags/$key',
  component: TagKeyPage,
});

const pricesRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/ui/prices',
  beforeLoad: needs('prices.read'),
  component: PricesPage,
});

const budgetsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/ui/budgets',
  beforeLoad: needs('budgets.read'),
  component: BudgetsPage,
});

const alertsRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/ui/alerts',
  beforeLoad: needs('alerts.read'),
  component: AlertsPage,
});

const keysRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/ui/keys',
  beforeLoad: needs('teams'),
  component: KeysPage,
});

const membersRoute = createRoute({
  getParentRoute: () => appRoute,
  path: '/ui/members',
  beforeLoad: needs('people'),
  component: MembersPage,
});

const routeTree = rootRoute.addChildren([
  startRoute,
  uiRoute,
  signInRoute,
  welcomeRoute,
  appRoute.addChildren([
    overviewRoute,
    requestsRoute,
    sessionsRoute,
    sessionRoute,
    tagsRoute,
    tagKeyRoute,
    pricesRoute,
    budgetsRoute,
    alertsRoute,
    keysRoute,
    membersRoute,
  ]),
]);

export function createDashboardRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    context: { queryClient },
    parseSearch: readAddress,
    stringifySearch: writeSearch,
    defaultPreload: false,
    scrollRestoration: true,
  });
}

/** Who follows a link to a page that is not theirs lands on the overview. */
function needs(right: string) {
  return async ({ context }: { readonly context: { readonly queryClient: QueryClient } }): Promise<void> => {
    const { user } = await context.queryClient.ensureQueryData(sessionQuery);
    if (user === null || user.rights.includes(right)) return;
    redirect({ to: '/ui/overview', search: parseSearch({}), replace: true, throw: true });
  };
}

/** Where to go after signing in. Only our own paths: a link must not carry someone off to another site. */
function localPath(value: unknown): string {
  return typeof value === 'string' && /^\/ui\/[^\\]*$/.test(value) ? value : '';
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createDashboardRouter>;
  }
}
