import type { Budget, Limit, Scope, Window } from '../../api/budgets.ts';

/** A scope as a sentence would name it: `each customer, model gpt-5`. */
export function scopeWords(scope: Scope, keyName: (id: string) => string): string {
  const parts = Object.entries(scope).map(([name, values]) =>
    conditionWords(nameWords(name), name === 'key.id' ? withNames(values, keyName) : values),
  );
  return parts.length === 0 ? 'all calls' : parts.join(', ');
}

/** `customer` of `tags.customer`, `team` of `key.team`. */
function nameWords(name: string): string {
  return name.replace(/^(?:tags|key)\./, '').replace(/^id$/, 'key');
}

function withNames(values: Scope[string], keyName: (id: string) => string): Scope[string] {
  if (typeof values === 'string') return keyName(values);
  return Array.isArray(values) ? values.map(keyName) : values;
}

function conditionWords(name: string, values: Scope[string]): string {
  if (typeof values === 'string') return name === 'label' ? values : `${name} ${values}`;
  if (Array.isArray(values)) return values.join(' and ');
  if ('each' in values) return `each ${name}`;
  return 'unlisted' in values ? `each other ${name}` : `no ${name}`;
}

const WINDOW_WORDS: Readonly<Record<string, string>> = {
  hour: 'an hour',
  day: 'a day',
  week: 'a week',
  month: 'a month',
  year: 'a year',
  total: 'in all',
};

/** `a month`, `in any 24h`. */
export function windowWords(window: Window): string {
  if (window.kind === 'rolling') return `in any ${window.length ?? ''}`;
  if (window.kind === 'fixed') return `every ${window.length ?? ''}`;
  const count = Number(window['count'] ?? 1);
  return count > 1 ? `every ${count} ${window.kind}s` : (WINDOW_WORDS[window.kind] ?? window.kind);
}

/** Whether it has an instance for each value of something. */
export function hasInstances({ scope }: Budget): boolean {
  return Object.values(scope).some(
    (values) => typeof values === 'object' && !Array.isArray(values) && ('each' in values || 'unlisted' in values),
  );
}

export function actionWords(action: Budget['action']): string {
  if (typeof action === 'object') return `then ${action.downgrade_to}`;
  return action === 'warn' ? 'only warns' : 'then refused';
}

const MEASURE_WORDS: Readonly<Record<Limit['measure'], string>> = {
  requests: 'requests',
  tokens: 'tokens',
  usd: 'dollars',
  parallel: 'calls at once',
};

/** `60 requests a minute, 10 at once`. */
export function limitWords({ amount, measure, per, burst }: Limit): string {
  const what = `${grouped(amount)} ${MEASURE_WORDS[measure]}`;
  if (per === null) return what;
  const time = typeof per === 'string' ? `every ${per}` : minuteWords(per);
  return burst === null ? `${what} ${time}` : `${what} ${time}, ${grouped(burst)} at once`;
}

function minuteWords(window: Window): string {
  return window.kind === 'fixed' && window.length === '1m' ? 'a minute' : windowWords(window);
}

function grouped(amount: string): string {
  const [whole = '', fraction] = amount.split('.');
  const digits = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? digits : `${digits}.${fraction}`;
}
