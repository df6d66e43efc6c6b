import { styleText } from 'node:util';

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
  /** A model that answers right now, for the snippets. */
  readonly model: string;
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
  const base = `${welcome.url}/v1`;
  return [
    '',
    `  ${bold('Apportion')} is running at ${bold(welcome.url)}`,
    '',
    `  Dashboard   ${welcome.url}/`,
    `  Base URL    ${base}`,
    `  Providers   ${welcome.providers.join(', ')}`,
    `  Data        ${welcome.dataDir}`,
    ...keyLines(welcome),
    '',
    `  ${bold('A first call')}`,
    '',
    `  curl ${base}/chat/completions \\`,
    `    -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\`,
    `    -d '{"model":"${welcome.model}","messages":[{"role":"user","content":"Hello"}],"tags":{"feature":"first-call"}}'`,
    '',
    `  ${bold('or with the OpenAI SDK')}`,
    '',
    `  const client = new OpenAI({ baseURL: '${base}', apiKey: '${key}' });`,
    `  await client.chat.completions.create({ model: '${welcome.model}', messages: [{ role: 'user', content: 'Hello' }] });`,
    '',
    `  ${bold('What it cost')}`,
    '',
    `  curl -H "Authorization: Bearer ${welcome.adminKey ?? 'YOUR_ADMIN_KEY'}" \\`,
    `    "${welcome.url}/v1/analytics/costs?start_date=${welcome.today}&group_by=tags.feature"`,
    '',
  ].join('\n');
}

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
