import { styleText } from 'node:util';
import type { Dialect } from '#wires';

/** What a person reads in the terminal. Everything for machines goes to the log. */
export type Console = {
  say(text: string): void;
  complain(text: string): void;
};

export type Welcome = {
  readonly url: string;
  readonly dataDir: string;
  /** Shown once, when they were made just now; null later. */
  readonly adminKey: string | null;
  readonly callKey: string | null;
  /** A model that answers right now, and the format it is spoken to in, for the snippets. */
  readonly model: string;
  readonly dialect: Dialect;
  readonly providers: readonly string[];
  /** YYYY-MM-DD, UTC. */
  readonly today: string;
};

type Streams = { readonly out: NodeJS.WritableStream; readonly err: NodeJS.WritableStream };

export function createConsole(streams: Streams = { out: process.stdout, err: process.stderr }): Console {
  return {
    say: (text) => void streams.out.write(`${text}\n`),
    complain: (text) => void streams.err.write(`${text}\n`),
  };
}

/** The first screen: where it runs, the two keys, and snippets that work as they stand. */
export function welcomeText(welcome: Welcome): string {
  const key = welcome.callKey ?? 'YOUR_CALL_KEY';
  const { path, body, sdk, client } = FIRST_CALLS[welcome.dialect](welcome.model, { url: welcome.url, key });
  return [
    '',
    `  ${bold('Apportion')} is running at ${bold(welcome.url)}`,
    '',
    `  Dashboard   ${welcome.url}/`,
    `  Base URL    ${welcome.url}/v1`,
    `  Providers   ${welcome.providers.join(', ')}`,
    `  Data        ${welcome.dataDir}`,
    ...keyLines(welcome),
    '',
    `  ${bold('A first call')}`,
    '',
    `  curl ${welcome.url}${path} \\`,
    `    -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\`,
    `    -d '${JSON.stringify({ ...body, tags: { feature: 'first-call' } })}'`,
    '',
    `  ${bold(`or with the ${sdk} SDK`)}`,
    '',
    ...client.map((line) => `  ${line}`),
    '',
    `  ${bold('What it cost')}`,
    '',
    `  curl -H "Authorization: Bearer ${welcome.adminKey ?? 'YOUR_ADMIN_KEY'}" \\`,
    `    "${welcome.url}/v1/analytics/costs?start_date=${welcome.today}&group_by=tags.feature"`,
    '',
  ].join('\n');
}

type FirstCall = {
  readonly path: string;
  readonly body: object;
  readonly sdk: string;
  readonly client: readonly string[];
};

type Place = { readonly url: string; readonly key: string };

const MESSAGES = [{ role: 'user', content: 'Hello' }];

const FIRST_CALLS: Readonly<Record<Dialect, (model: string, place: Place) => FirstCall>> = {
  openai: (model, { url, key }) => ({
    path: '/v1/chat/completions',
    body: { model, messages: MESSAGES },
    sdk: 'OpenAI',
    client: [
      `const client = new OpenAI({ baseURL: '${url}/v1', apiKey: '${key}' });`,
      `await client.chat.completions.create({ model: '${model}', messages: [{ role: 'user', content: 'Hello' }] });`,
    ],
  }),
  anthropic: (model, { url, key }) => ({
    path: '/v1/messages',
    body: { model, max_tokens: 100, messages: MESSAGES },
    sdk: 'Anthropic',
    client: [
      `const client = new Anthropic({ baseURL: '${url}', apiKey: '${key}' });`,
      `await client.messages.create({ model: '${model}', max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] });`,
    ],
  }),
  cohere: (model, { url, key }) => ({
    path: '/v2/chat',
    body: { model, messages: MESSAGES },
    sdk: 'Cohere',
    client: [
      `const client = new CohereClientV2({ environment: '${url}', token: '${key}' });`,
      `await client.chat({ model: '${model}', messages: [{ role: 'user', content: 'Hello' }] });`,
    ],
  }),
  bedrock: (model, { url, key }) => ({
    path: `/model/${encodeURIComponent(model)}/converse`,
    body: { messages: [{ role: 'user', content: [{ text: 'Hello' }] }] },
    sdk: 'AWS',
    client: [
      `const client = new BedrockRuntimeClient({ endpoint: '${url}', region: 'us-east-1', token: { token: '${key}' } });`,
      `await client.send(new ConverseCommand({ modelId: '${model}', messages: [{ role: 'user', content: [{ text: 'Hello' }] }] }));`,
    ],
  }),
  gemini: (model, { url, key }) => ({
    path: `/v1beta/models/${model}:generateContent`,
    body: { contents: [{ parts: [{ text: 'Hello' }] }] },
    sdk: 'Google Gen AI',
    client: [
      `const client = new GoogleGenAI({ apiKey: '${key}', httpOptions: { baseUrl: '${url}' } });`,
      `await client.models.generateContent({ model: '${model}', contents: 'Hello' });`,
    ],
  }),
};

function keyLines({ adminKey, callKey }: Welcome): string[] {
  if (adminKey === null && callKey === null) return [];
  return [
    '',
    '  Keys, shown only now and stored hashed:',
    ...(adminKey === null ? [] : [`  Admin key   ${adminKey}`]),
    ...(callKey === null ? [] : [`  Call key    ${callKey}`]),
  ];
}

function bold(text: string): string {
  return styleText('bold', text, { stream: process.stdout });
}
