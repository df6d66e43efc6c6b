/** What a request needs. `public`: nobody need be anybody. `self`: every caller; `self.write`: one with sessions. `reports`: answered within the caller's reach. */
export type Right =
  | 'public'
  | 'self'
  | 'self.write'
  | 'reports'
  | 'teams'
  | 'tags.read'
  | 'tags.write'
  | 'keys.write'
  | 'subjects.read'
  | 'prices.read'
  | 'money.write'
  | 'ledger.read'
  | 'alerts.read'
  | 'alerts.write'
  | 'audit'
  | 'budgets.read'
  | 'budgets.write'
  | 'people';

/** Every request this process answers, and what it needs. A route that is not here cannot be registered. */
export const ROUTE_RIGHTS: Readonly<Record<string, Right>> = {
  'GET /': 'public',
  'GET /ui': 'public',
  'GET /ui/*': 'public',
  'GET /assets/*': 'public',
  'GET /favicon.svg': 'public',
  'GET /theme.js': 'public',
  'GET /ui/session': 'public',
  'POST /ui/session': 'public',
  'DELETE /ui/session': 'public',
  'POST /ui/invitation': 'public',
  'GET /ui/oidc': 'public',
  'GET /ui/oidc/callback': 'public',

  'GET /v1/me': 'self',
  'DELETE /v1/me/sessions': 'self.write',

  'GET /v1/analytics/costs': 'reports',
  'GET /v1/analytics/costs/timeseries': 'reports',
  'GET /v1/analytics/dimensions': 'reports',
  'GET /v1/events': 'reports',
  'GET /v1/events/:id': 'reports',
  'GET /v1/entities': 'reports',
  'GET /v1/sessions': 'reports',
  'GET /v1/sessions/:id': 'reports',
  'GET /v1/tags': 'reports',
  'GET /v1/tags/hygiene': 'reports',
  'GET /v1/tags/:key': 'reports',
  'GET /spend/logs': 'reports',
  'GET /spend/logs/v2': 'reports',
  'GET /spend/tags': 'reports',
  'GET /global/spend/tags': 'reports',
  'GET /global/spend/all_tag_names': 'reports',
  'GET /tag/daily/activity': 'reports',
  'GET /tag/list': 'reports',

  'GET /key/info': 'teams',
  'GET /key/list': 'teams',
  'GET /team/info': 'teams',
  'GET /team/list': 'teams',

  'POST /key/generate': 'keys.write',
  'POST /key/update': 'keys.write',
  'POST /key/regenerate': 'keys.write',
  'POST /key/:key/regenerate': 'keys.write',
  'POST /key/block': 'keys.write',
  'POST /key/unblock': 'keys.write',
  'POST /key/delete': 'keys.write',
  'POST /team/new': 'keys.write',
  'POST /team/update': 'keys.write',
  'POST /team/block': 'keys.write',
  'POST /team/unblock': 'keys.write',
  'POST /team/delete': 'keys.write',

  'GET /customer/info': 'subjects.read',
  'GET /customer/list': 'subjects.read',
  'POST /customer/new': 'keys.write',
  'POST /customer/update': 'keys.write',
  'POST /customer/delete': 'keys.write',
  'POST /customer/block': 'keys.write',
  'POST /customer/unblock': 'keys.write',
  'GET /end_user/info': 'subjects.read',
  'GET /end_user/list': 'subjects.read',
  'POST /end_user/new': 'keys.write',
  'POST /end_user/update': 'keys.write',
  'POST /end_user/delete': 'keys.write',
  'POST /end_user/block': 'keys.write',
  'POST /end_user/unblock': 'keys.write',
  'GET /user/info': 'subjects.read',
  'GET /user/list': 'subjects.read',
  'POST /user/new': 'keys.write',
  'POST /user/update': 'keys.write',
  'POST /user/delete': 'keys.write',
  'POST /budget/info': 'subjects.read',
  'GET /budget/list': 'subjects.read',
  'GET /budget/settings': 'subjects.read',
  'POST /budget/new': 'keys.write',
  'POST /budget/update': 'keys.write',
  'POST /budget/delete': 'keys.write',

  'POST /tag/info': 'tags.read',
  'PUT /v1/tags/:key': 'tags.write',
  'POST /tag/new': 'tags.write',
  'POST /tag/update': 'tags.write',
  'POST /tag/delete': 'tags.write',

  'GET /v1/prices': 'prices.read',
  'POST /v1/prices/quote': 'prices.read',
  'POST /spend/calculate': 'prices.read',
  'GET /v1/prices/terms': 'prices.read',
  'GET /v1/prices/terms/:id': 'prices.read',
  'GET /v1/contracts': 'prices.read',
  'GET /v1/contracts/:id': 'prices.read',
  'GET /v1/markups': 'prices.read',
  'GET /v1/markups/:id': 'prices.read',
  'POST /v1/prices': 'money.write',
  'POST /v1/contracts': 'money.write',
  'POST /v1/markups': 'money.write',
  'DELETE /v1/prices/terms/:id': 'money.write',
  'DELETE /v1/contracts/:id': 'money.write',
  'DELETE /v1/markups/:id': 'money.write',
  'POST /v1/prices/reprice': 'money.write',
  'POST /v1/adjustments': 'money.write',
  'POST /v1/in-doubt/resolve': 'money.write',
  'POST /v1/events/:id/resolve': 'money.write',
  'GET /v1/adjustments': 'ledger.read',
  'GET /v1/in-doubt': 'ledger.read',
  'GET /v1/ledger/batches': 'ledger.read',
  'GET /v1/ledger/roots': 'ledger.read',

  'GET /v1/routes': 'ledger.read',

  'GET /v1/budgets': 'budgets.read',
  'GET /v1/budgets/:id': 'budgets.read',
  'POST /v1/budgets': 'budgets.write',
  'PATCH /v1/budgets/:id': 'budgets.write',
  'DELETE /v1/budgets/:id': 'budgets.write',
  'POST /v1/budgets/:id/raise': 'budgets.write',
  'DELETE /v1/budgets/:id/raise': 'budgets.write',
  'GET /v1/limits': 'budgets.read',
  'GET /v1/limits/:id': 'budgets.read',
  'POST /v1/limits': 'budgets.write',
  'PATCH /v1/limits/:id': 'budgets.write',
  'DELETE /v1/limits/:id': 'budgets.write',
  'GET /v1/rules/export': 'budgets.read',
  'POST /v1/rules/import': 'budgets.write',

  'GET /v1/alerts/rules': 'alerts.read',
  'GET /v1/alerts/rules/:id': 'alerts.read',
  'GET /v1/alerts/channels': 'alerts.read',
  'GET /v1/alerts/channels/:id': 'alerts.read',
  'GET /v1/alerts/events': 'alerts.read',
  'GET /v1/alerts/deliveries': 'alerts.read',
  'POST /v1/alerts/rules': 'alerts.write',
  'PATCH /v1/alerts/rules/:id': 'alerts.write',
  'DELETE /v1/alerts/rules/:id': 'alerts.write',
  'POST /v1/alerts/rules/:id/mute': 'alerts.write',
  'POST /v1/alerts/rules/:id/unmute': 'alerts.write',
  'POST /v1/alerts/channels': 'alerts.write',
  'PATCH /v1/alerts/channels/:id': 'alerts.write',
  'DELETE /v1/alerts/channels/:id': 'alerts.write',
  'POST /v1/alerts/channels/:id/test': 'alerts.write',

  'GET /v1/audit': 'audit',
  'GET /v1/erasures': 'audit',
  'POST /v1/erasures': 'people',

  'GET /v1/members': 'people',
  'POST /v1/members': 'people',
  'GET /v1/members/:id': 'people',
  'PATCH /v1/members/:id': 'people',
  'DELETE /v1/members/:id': 'people',
  'POST /v1/members/:id/link': 'people',
  'DELETE /v1/members/:id/sessions': 'people',
  'GET /v1/tokens': 'people',
  'POST /v1/tokens': 'people',
  'DELETE /v1/tokens/:id': 'people',
};
