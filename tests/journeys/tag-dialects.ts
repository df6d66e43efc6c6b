/** What one way to send tags says, written down apart from any code that reads it. */
export type Said = {
  readonly tags: Readonly<Record<string, string>>;
  readonly labels: readonly string[];
  readonly paths: readonly string[];
  readonly sessionId: string;
  readonly sessionPath: string;
  readonly traceId: string;
};

export type Dialect = {
  readonly name: string;
  readonly source: 'body' | 'header';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly said: Said;
};

const NOTHING: Said = { tags: {}, labels: [], paths: [], sessionId: '', sessionPath: '', traceId: '' };

type Sent = { readonly fields?: Dialect['fields']; readonly headers?: Dialect['headers'] };

function dialect(name: string, sent: Sent, said: Partial<Said>): Dialect {
  const { fields = {}, headers = {} } = sent;
  return {
    name,
    source: sent.fields === undefined ? 'header' : 'body',
    fields,
    headers,
    said: { ...NOTHING, ...said },
  };
}

/** The two keys that the matrix locks and defaults, wherever a dialect has keys. */
const PAIR = { team: 'growth', feature: 'chatbot' };
const STRINGS = ['team:growth', 'feature:chatbot'];
const USER = { end_user: 'u-17', customer: 'u-17' };
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

const BODIES: readonly Dialect[] = [
  dialect(
    'InfraPrism tags and entity',
    { fields: { entity_type: 'customer', entity_id: 'acme', session_id: 's-1', tags: PAIR } },
    { tags: { ...PAIR, customer: 'acme' }, sessionId: 's-1' },
  ),
  dialect(
    'FastRouter request_tags',
    { fields: { request_tags: [...STRINGS, 'UK/London', 'Europe'] } },
    { tags: PAIR, labels: ['Europe'], paths: ['UK/London'] },
  ),
  dialect(
    'LiteLLM and NemoRouter metadata.tags',
    { fields: { metadata: { tags: [...STRINGS, 'AWS_IAM_PROD'] } } },
    { tags: PAIR, labels: ['AWS_IAM_PROD'] },
  ),
  dialect('LiteLLM tags, a list', { fields: { tags: [...STRINGS, 'beta'] } }, { tags: PAIR, labels: ['beta'] }),
  dialect(
    'LiteLLM tags, one string',
    { fields: { tags: `${STRINGS.join(',')},beta` } },
    { tags: PAIR, labels: ['beta'] },
  ),
  dialect('LiteLLM litellm_metadata.tags', { fields: { litellm_metadata: { tags: STRINGS } } }, { tags: PAIR }),
  dialect(
    'LiteLLM spend_logs_metadata',
    { fields: { metadata: { spend_logs_metadata: PAIR, session_id: 's-2' } } },
    { tags: PAIR, sessionId: 's-2' },
  ),
  dialect(
    'LiteLLM session and trace',
    { fields: { litellm_session_id: 's-3', litellm_trace_id: 't-3' } },
    { sessionId: 's-3', traceId: 't-3' },
  ),
  dialect('LiteLLM litellm_metadata.user', { fields: { litellm_metadata: { user: 'u-17' } } }, { tags: USER }),
  dialect('OpenAI user', { fields: { user: 'u-17' } }, { tags: USER }),
  dialect('OpenAI safety_identifier', { fields: { safety_identifier: 'u-17' } }, { tags: USER }),
  dialect('Anthropic metadata.user_id', { fields: { metadata: { user_id: 'u-17' } } }, { tags: USER }),
  dialect(
    'TensorZero tags and episode',
    { fields: { 'tensorzero::tags': PAIR, 'tensorzero::episode_id': 'e-1' } },
    { tags: PAIR, sessionId: 'e-1' },
  ),
  dialect(
    'Requesty',
    { fields: { requesty: { tags: STRINGS, user_id: 'u-17', trace_id: 't-4' } } },
    { tags: { ...PAIR, ...USER }, sessionId: 't-4', traceId: 't-4' },
  ),
  dialect(
    'our own session and step',
    { fields: { session_id: 'run-7', session_path: '/plan/search/' } },
    { sessionId: 'run-7', sessionPath: 'plan/search' },
  ),
];

const HEADERS: readonly Dialect[] = [
  dialect(
    'x-apportion-tags',
    {
      headers: { 'x-apportion-tags': 'team=growth, feature="chatbot", note="a, \\"b\\"", Z%C3%BCrich, US/California' },
    },
    { tags: { ...PAIR, note: 'a, "b"' }, labels: ['Zürich'], paths: ['US/California'] },
  ),
  dialect('x-apportion-entity', { headers: { 'x-apportion-entity': 'team/growth' } }, { tags: { team: 'growth' } }),
  dialect(
    'x-apportion-session and -session-path',
    { headers: { 'x-apportion-session': 'run-7', 'x-apportion-session-path': 'plan/search' } },
    { sessionId: 'run-7', sessionPath: 'plan/search' },
  ),
  dialect(
    'x-litellm-tags',
    { headers: { 'x-litellm-tags': 'team:growth, feature:chatbot ,beta' } },
    { tags: PAIR, labels: ['beta'] },
  ),
  dialect(
    'x-litellm-spend-logs-metadata',
    { headers: { 'x-litellm-spend-logs-metadata': JSON.stringify(PAIR) } },
    { tags: PAIR },
  ),
  dialect('x-litellm-customer-id', { headers: { 'x-litellm-customer-id': 'acme' } }, { tags: { customer: 'acme' } }),
  dialect('x-litellm-end-user-id', { headers: { 'x-litellm-end-user-id': 'u-17' } }, { tags: USER }),
  dialect('x-litellm-session-id', { headers: { 'x-litellm-session-id': 's-1' } }, { sessionId: 's-1' }),
  dialect('x-litellm-trace-id', { headers: { 'x-litellm-trace-id': 't-1' } }, { sessionId: 't-1', traceId: 't-1' }),
  dialect('x-litellm-agent-id', { headers: { 'x-litellm-agent-id': 'a-1' } }, { tags: { agent: 'a-1' } }),
  dialect(
    'Helicone',
    {
      headers: {
        'Helicone-Property-Team': 'growth',
        'Helicone-Property-Feature': 'chatbot',
        'Helicone-User-Id': 'u-17',
        'Helicone-Session-Id': 's-1',
        'Helicone-Session-Path': '/plan/search',
        'Helicone-Session-Name': 'trip',
      },
    },
    { tags: { ...PAIR, ...USER, session_name: 'trip' }, sessionId: 's-1', sessionPath: 'plan/search' },
  ),
  dialect(
    'Portkey',
    {
      headers: {
        'x-portkey-metadata': JSON.stringify({ _user: 'u-17', _environment: 'prod', ...PAIR }),
        'x-portkey-trace-id': 't-1',
      },
    },
    { tags: { ...PAIR, ...USER, env: 'prod' }, sessionId: 't-1', traceId: 't-1' },
  ),
  dialect(
    'Cloudflare, with more than the five entries it keeps',
    { headers: { 'cf-aig-metadata': JSON.stringify({ ...PAIR, a: 1, b: 2, c: 3, d: true }) } },
    { tags: { ...PAIR, a: '1', b: '2', c: '3', d: 'true' } },
  ),
  dialect(
    'Bifrost dimensions',
    { headers: { 'x-bf-dim-team': 'growth', 'x-bf-dim-feature': 'chatbot', 'x-bf-session-id': 's-1' } },
    { tags: PAIR, sessionId: 's-1' },
  ),
  dialect(
    'Bifrost, the older spelling',
    { headers: { 'x-bf-prom-team': 'growth', 'x-bf-prom-feature': 'chatbot' } },
    { tags: PAIR },
  ),
  dialect('TrueFoundry', { headers: { 'X-TFY-METADATA': JSON.stringify(PAIR) } }, { tags: PAIR }),
  dialect('aigateway.sh', { headers: { 'x-aig-tag': 'team:growth' } }, { tags: { team: 'growth' } }),
  dialect(
    'Vercel',
    { headers: { 'ai-reporting-user': 'u-17', 'ai-reporting-tags': STRINGS.join(',') } },
    { tags: { ...PAIR, ...USER } },
  ),
  dialect(
    'llmgateway',
    { headers: { 'x-llmgateway-user-id': 'u-17', 'x-llmgateway-team': 'growth', 'x-llmgateway-feature': 'chatbot' } },
    { tags: { ...PAIR, ...USER } },
  ),
  dialect(
    'FastRouter trace',
    { headers: { 'x-trace-id': 't-1', 'x-span-name': 'search' } },
    { sessionId: 't-1', traceId: 't-1', sessionPath: 'search' },
  ),
  dialect(
    'traceparent',
    { headers: { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` } },
    { sessionId: TRACE, traceId: TRACE },
  ),
  dialect(
    'W3C baggage, allowed members',
    { headers: { baggage: 'userId=alice,team=growth;ttl=1,feature=chat%62ot' } },
    { tags: PAIR },
  ),
  dialect(
    'headers the operator names',
    { headers: { 'x-department': 'eng/search', 'x-job': 'nightly' } },
    { tags: { department: 'eng/search' }, labels: ['x-job: nightly'] },
  ),
];

export const NO_DIALECT: Dialect = dialect('no tags at all', {}, {});

export const DIALECTS: readonly Dialect[] = [NO_DIALECT, ...BODIES, ...HEADERS];

/** The settings under which all of the above is true. */
export const DIALECT_SETTINGS = {
  tags: { headers: { 'x-department': 'department', 'x-job': null }, baggage: ['team', 'feature'] },
} as const;
