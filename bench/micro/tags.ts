// µs of CPU for reading and resolving the ten tags of one call (eight sent, two of its key), by dialect. Run: node bench/micro/tags.ts
import {
  compileTagRules,
  readBodyTags,
  readDefaultTags,
  readHeaderTags,
  resolveTags,
  type HeaderSource,
  type TagDeclaration,
} from '#tags';
import { type TagSource } from '#terms';

const ROUNDS = 7;
const CALLS = 30_000;

type Request = { readonly body?: Readonly<Record<string, string>>; readonly headers?: HeaderSource };

const PAIRS: readonly (readonly [string, string])[] = [
  ['team', 'growth'],
  ['feature', 'summarizer'],
  ['env', 'production'],
  ['customer', 'acme-corp'],
  ['tier', 'enterprise'],
  ['region', 'us-east-1'],
  ['version', '2.1.0'],
  ['experiment', 'prompt-b'],
];

const COLONS = PAIRS.map(([key, value]) => `${key}:${value}`);
const OBJECT = JSON.stringify(Object.fromEntries(PAIRS));

/** What every call of an OpenAI SDK carries. */
const USUAL: HeaderSource = {
  host: '127.0.0.1:4000',
  connection: 'keep-alive',
  authorization: 'Bearer sk-ap-0123456789',
  accept: 'application/json',
  'content-type': 'application/json',
  'content-length': '1234',
  'user-agent': 'OpenAI/JS 7.55.0',
  'x-stainless-lang': 'js',
  'x-stainless-package-version': '7.55.0',
  'x-stainless-os': 'Linux',
  'x-stainless-arch': 'x64',
  'x-stainless-runtime': 'node',
  'x-stainless-runtime-version': 'v26.10.0',
  'x-stainless-retry-count': '0',
  'accept-encoding': 'gzip, deflate, br',
};

function prefixed(prefix: string): HeaderSource {
  return { ...USUAL, ...Object.fromEntries(PAIRS.map(([key, value]) => [`${prefix}${key}`, value])) };
}

const REQUESTS: Readonly<Record<string, Request>> = {
  'no tags': { headers: USUAL },
  InfraPrism: { body: { entity_type: '"customer"', entity_id: '"acme-corp"', session_id: '"s-42"', tags: OBJECT } },
  FastRouter: { body: { request_tags: JSON.stringify(PAIRS.map(([key, value]) => `${key}/${value}`)) } },
  LiteLLM: { body: { metadata: JSON.stringify({ tags: PAIRS.map(([key, value]) => `${key}-${value}`) }) } },
  NemoRouter: { body: { metadata: JSON.stringify({ tags: COLONS }), user: '"u-123"' } },
  TensorZero: { body: { 'tensorzero::tags': OBJECT } },
  'x-apportion-tags': { headers: { ...USUAL, 'x-apportion-tags': PAIRS.map(([k, v]) => `${k}=${v}`).join(', ') } },
  'x-litellm-tags': { headers: { ...USUAL, 'x-litellm-tags': COLONS.join(',') } },
  Helicone: { headers: prefixed('helicone-property-') },
  Portkey: { headers: { ...USUAL, 'x-portkey-metadata': OBJECT } },
  Cloudflare: { headers: { ...USUAL, 'cf-aig-metadata': OBJECT } },
  Bifrost: { headers: prefixed('x-bf-dim-') },
  TrueFoundry: { headers: { ...USUAL, 'x-tfy-metadata': OBJECT } },
  Vercel: { headers: { ...USUAL, 'ai-reporting-tags': COLONS.join(','), 'ai-reporting-user': 'u-123' } },
  baggage: { headers: { ...USUAL, baggage: PAIRS.map(([key, value]) => `${key}=${value}`).join(',') } },
};

const rules = compileTagRules({ baggage: PAIRS.map(([key]) => key) });
const keyDefaults = readDefaultTags({ tags: ['AWS_IAM_PROD', 'team:backend'] });

function resolveOnce({ body = {}, headers = USUAL }: Request): number {
  const { declaration } = readBodyTags(body, rules);
  const sources = new Map<TagSource, TagDeclaration>([
    ['body', declaration],
    ['header', readHeaderTags(headers, rules)],
    ['key_default', keyDefaults],
  ]);
  return resolveTags(sources, { keyTeam: 'core', rules }).dimensions.size;
}

for (const [name, request] of Object.entries(REQUESTS)) {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = process.cpuUsage();
    for (let call = 0; call < CALLS; call += 1) resolveOnce(request);
    const { user, system } = process.cpuUsage(start);
    rounds.push((user + system) / CALLS);
  }
  const median = rounds.toSorted((left, right) => left - right)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
  process.stdout.write(`${name.padEnd(16)} ${median.toFixed(2)} µs per call\n`);
}
