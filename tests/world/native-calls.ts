import { toFile } from 'openai';
import type { Clients } from './clients.ts';
import type { ProviderName } from './gateway-process.ts';

/** One call as an official client makes it. `run` gives what the client made of the answer. */
export type NativeCall = {
  readonly name: string;
  readonly provider: ProviderName;
  /** Empty for routes that name none. */
  readonly model: string;
  run(clients: Clients): Promise<unknown>;
};

type Run = NativeCall['run'];

const user = (content: string) => [{ role: 'user' as const, content }];

async function collect<Item>(stream: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

const chat =
  (model: string, text: string, extra: object = {}): Run =>
  ({ openai }) =>
    openai.chat.completions.create({ model, messages: user(text), ...extra });

const chatStream =
  (model: string, text: string, extra: object = {}): Run =>
  async ({ openai }) =>
    collect(await openai.chat.completions.create({ model, messages: user(text), stream: true, ...extra }));

const response =
  (model: string, text: string, extra: object = {}): Run =>
  ({ openai }) =>
    openai.responses.create({ model, input: text, ...extra });

const responseStream =
  (model: string, text: string, extra: object = {}): Run =>
  ({ openai }) =>
    openai.responses.stream({ model, input: text, ...extra }).finalResponse();

const SEARCH = { tools: [{ type: 'web_search' as const }] };
const AUDIO = Buffer.from('RIFF, and what follows');
const audio = () => toFile(AUDIO, 'meeting.wav', { type: 'audio/wav' });
const picture = () => toFile(Buffer.from('a picture'), 'cat.png', { type: 'image/png' });

type Entry = readonly [name: string, model: string, run: Run];

const OPENAI_CALLS: readonly Entry[] = [
  ['chat', 'gpt-4o', chat('gpt-4o', 'seed=101 prompt_tokens=3000')],
  ['chat, reasoning', 'o3', chat('o3', 'seed=102 reasoning_tokens=50 completion_tokens=90')],
  ['chat, flex as served', 'o3', chat('o3', 'seed=103', { service_tier: 'flex' })],
  ['chat, priority asked and not served', 'gpt-4o', chat('gpt-4o', 'seed=104', { service_tier: 'priority' })],
  ['chat, cache written', 'gpt-5.6-luna', chat('gpt-5.6-luna', 'seed=105 prompt_tokens=2600 cache_write_tokens=400')],
  ['chat stream', 'gpt-4o-mini', chatStream('gpt-4o-mini', 'seed=106')],
  [
    'chat stream that asks for usage',
    'gpt-5-mini',
    chatStream('gpt-5-mini', 'seed=107', { stream_options: { include_usage: true } }),
  ],
  [
    'completions',
    'gpt-3.5-turbo-instruct',
    ({ openai }) => openai.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'seed=108' }),
  ],
  [
    'completions stream',
    'gpt-3.5-turbo-instruct',
    async ({ openai }) =>
      collect(await openai.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'seed=109', stream: true })),
  ],
  [
    'embeddings',
    'text-embedding-3-small',
    ({ openai }) =>
      openai.embeddings.create({ model: 'text-embedding-3-small', input: ['a', 'seed=110'], dimensions: 8 }),
  ],
  ['responses', 'gpt-5-mini', response('gpt-5-mini', 'seed=111 prompt_tokens=2000')],
  ['responses with two searches', 'gpt-4o', response('gpt-4o', 'seed=112 searches=2', SEARCH)],
  ['responses with a search that is offered only', 'gpt-4o', response('gpt-4o', 'seed=113 searches=0', SEARCH)],
  ['responses, cache written', 'gpt-5.6-luna', response('gpt-5.6-luna', 'seed=114 prompt_tokens=2600')],
  ['responses stream', 'o3', responseStream('o3', 'seed=115')],
  ['responses stream with a search', 'gpt-5-mini', responseStream('gpt-5-mini', 'seed=116 searches=1', SEARCH)],
  [
    'images',
    'gpt-image-1',
    ({ openai }) => openai.images.generate({ model: 'gpt-image-1', prompt: 'a cat seed=117', n: 2 }),
  ],
  [
    'images stream',
    'gpt-image-1',
    async ({ openai }) =>
      collect(
        await openai.images.generate({ model: 'gpt-image-1', prompt: 'seed=118', stream: true, partial_images: 2 }),
      ),
  ],
  [
    'images by the piece',
    'dall-e-3',
    ({ openai }) => openai.images.generate({ model: 'dall-e-3', prompt: 'seed=119', quality: 'hd', size: '1024x1792' }),
  ],
  [
    'image edits',
    'gpt-image-1',
    async ({ openai }) =>
      openai.images.edit({ model: 'gpt-image-1', prompt: 'a hat seed=120', image: await picture() }),
  ],
  [
    'transcription by tokens',
    'gpt-4o-transcribe',
    async ({ openai }) =>
      openai.audio.transcriptions.create({ model: 'gpt-4o-transcribe', file: await audio(), prompt: 'seed=121' }),
  ],
  [
    'transcription stream',
    'gpt-4o-transcribe',
    async ({ openai }) =>
      collect(
        await openai.audio.transcriptions.create({
          model: 'gpt-4o-transcribe',
          file: await audio(),
          prompt: 'seed=122',
          stream: true,
        }),
      ),
  ],
  [
    'transcription by seconds',
    'whisper-1',
    async ({ openai }) =>
      openai.audio.transcriptions.create({
        model: 'whisper-1',
        file: await audio(),
        prompt: 'seed=123 seconds=47',
        timestamp_granularities: ['word', 'segment'],
        response_format: 'verbose_json',
      }),
  ],
  [
    'speech by characters',
    'tts-1',
    async ({ openai }) => {
      const spoken = await openai.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Grüße 分 seed=124' });
      return Buffer.from(await spoken.arrayBuffer()).toString('base64');
    },
  ],
  [
    'speech stream',
    'gpt-4o-mini-tts',
    async ({ openai }) => {
      const request = { model: 'gpt-4o-mini-tts', voice: 'alloy', input: 'seed=125', stream_format: 'sse' as const };
      const text = await (await openai.audio.speech.create(request)).text();
      return text.split('\n').filter((line) => line.startsWith('data: '));
    },
  ],
  [
    'moderations',
    'omni-moderation-latest',
    ({ openai }) => openai.moderations.create({ model: 'omni-moderation-latest', input: 'seed=126' }),
  ],
];

const EPHEMERAL = { type: 'ephemeral' as const };
const HOUR = { type: 'ephemeral' as const, ttl: '1h' as const };

const message =
  (model: string, text: string, extra: object = {}): Run =>
  ({ anthropic }) =>
    anthropic.messages.create({ model, max_tokens: 500, messages: user(text), ...extra });

const messageStream =
  (model: string, text: string, extra: object = {}): Run =>
  ({ anthropic }) =>
    anthropic.messages.stream({ model, max_tokens: 500, messages: user(text), ...extra }).finalMessage();

const CACHING = {
  system: [
    { type: 'text', text: 'What is said to all.', cache_control: HOUR },
    { type: 'text', text: 'What is said to some.', cache_control: EPHEMERAL },
  ],
};
const CACHED = 'prompt_tokens=9000 cached_tokens=4096 cache_write_5m_tokens=1000 cache_write_1h_tokens=2000';
const WEB_SEARCH = { tools: [{ type: 'web_search_20250305', name: 'web_search', max_uses: 5 }] };
const THINKING = { thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 2_000 };

const ANTHROPIC_CALLS: readonly Entry[] = [
  ['messages', 'claude-haiku-4-5', message('claude-haiku-4-5', 'seed=201')],
  ['messages, cached', 'claude-opus-4-5', message('claude-opus-4-5', `seed=202 ${CACHED}`, CACHING)],
  ['messages, thinking', 'claude-opus-4-5', message('claude-opus-4-5', 'seed=203 reasoning_tokens=40', THINKING)],
  ['messages with searches', 'claude-haiku-4-5', message('claude-haiku-4-5', 'seed=204 searches=2', WEB_SEARCH)],
  [
    'messages with a search that is offered only',
    'claude-haiku-4-5',
    message('claude-haiku-4-5', 'seed=205 searches=0', WEB_SEARCH),
  ],
  [
    'messages of a long context',
    'claude-sonnet-4-5',
    message('claude-sonnet-4-5', 'seed=206 prompt_tokens=200001 cached_tokens=195000', CACHING),
  ],
  ['messages, in the US', 'claude-opus-4-8', message('claude-opus-4-8', 'seed=207', { inference_geo: 'us' })],
  ['messages stream', 'claude-haiku-4-5', messageStream('claude-haiku-4-5', 'seed=208')],
  ['messages stream, cached', 'claude-opus-4-5', messageStream('claude-opus-4-5', `seed=209 ${CACHED}`, CACHING)],
  [
    'messages stream, thinking',
    'claude-opus-4-8',
    messageStream('claude-opus-4-8', 'seed=210 reasoning_tokens=40 completion_tokens=90', THINKING),
  ],
  [
    'messages stream with a search',
    'claude-haiku-4-5',
    messageStream('claude-haiku-4-5', 'seed=211 searches=1', WEB_SEARCH),
  ],
];

const generate =
  (model: string, text: string, config: object = {}): Run =>
  async ({ gemini }) =>
    withoutHttp(await gemini.models.generateContent({ model, contents: text, config }));

const generateStream =
  (model: string, text: string, config: object = {}): Run =>
  async ({ gemini }) =>
    (await collect(await gemini.models.generateContentStream({ model, contents: text, config }))).map(withoutHttp);

/** Google's client hands the answer's headers out with it. */
function withoutHttp(answer: object): unknown {
  return JSON.parse(JSON.stringify(answer, (name, value: unknown) => (name === 'sdkHttpResponse' ? undefined : value)));
}

const GOOGLE_SEARCH = { tools: [{ googleSearch: {} }] };

const GEMINI_CALLS: readonly Entry[] = [
  ['generateContent', 'gemini-2.5-flash-lite', generate('gemini-2.5-flash-lite', 'seed=301')],
  ['generateContent, thinking', 'gemini-2.5-flash', generate('gemini-2.5-flash', 'seed=302 reasoning_tokens=30')],
  [
    'generateContent, cached',
    'gemini-2.5-pro',
    generate('gemini-2.5-pro', 'seed=303 prompt_tokens=5000 cached_tokens=4096'),
  ],
  [
    'generateContent of a long context',
    'gemini-2.5-pro',
    generate('gemini-2.5-pro', 'seed=304 prompt_tokens=200001 cached_tokens=100000'),
  ],
  [
    'generateContent with audio',
    'gemini-2.5-flash',
    generate('gemini-2.5-flash', 'seed=305 prompt_tokens=900 audio_tokens=500'),
  ],
  ['generateContent, flex', 'gemini-2.5-flash', generate('gemini-2.5-flash', 'seed=306', { serviceTier: 'flex' })],
  [
    'generateContent, a grounded prompt',
    'gemini-2.5-flash',
    generate('gemini-2.5-flash', 'seed=307 searches=3 tool_prompt_tokens=120', GOOGLE_SEARCH),
  ],
  [
    'generateContent, three queries',
    'gemini-3-pro-preview',
    generate('gemini-3-pro-preview', 'seed=308 searches=3', GOOGLE_SEARCH),
  ],
  ['streamGenerateContent', 'gemini-2.5-flash', generateStream('gemini-2.5-flash', 'seed=309')],
  [
    'streamGenerateContent with a search',
    'gemini-3-pro-preview',
    generateStream('gemini-3-pro-preview', 'seed=310 searches=1', GOOGLE_SEARCH),
  ],
  [
    'embedContent',
    'gemini-embedding-001',
    async ({ gemini }) => {
      const config = { outputDimensionality: 4 };
      const answer = await gemini.models.embedContent({ model: 'gemini-embedding-001', contents: 'seed=311', config });
      return withoutHttp(answer);
    },
  ],
];

const FREE: readonly Entry[] = [['files', '', ({ openai }) => storeAndRemove({ openai })]];

async function storeAndRemove({ openai }: Pick<Clients, 'openai'>): Promise<unknown> {
  const stored = await openai.files.create({ file: await toFile(AUDIO, 'notes.txt'), purpose: 'user_data' });
  const listed = (await openai.files.list()).data.map(({ filename }) => filename);
  const { bytes } = await openai.files.retrieve(stored.id);
  const content = await (await openai.files.content(stored.id)).text();
  const { deleted } = await openai.files.delete(stored.id);
  return { listed, bytes, content, deleted };
}

const ANTHROPIC_FREE: readonly Entry[] = [
  [
    'count_tokens',
    'claude-haiku-4-5',
    ({ anthropic }) => anthropic.messages.countTokens({ model: 'claude-haiku-4-5', messages: user('seed=212') }),
  ],
];

const GEMINI_FREE: readonly Entry[] = [
  [
    'countTokens',
    'gemini-2.5-flash',
    async ({ gemini }) =>
      withoutHttp(await gemini.models.countTokens({ model: 'gemini-2.5-flash', contents: 'seed=312' })),
  ],
];

function named(provider: ProviderName, entries: readonly Entry[]): NativeCall[] {
  return entries.map(([name, model, run]) => ({ name: `${provider} ${name}`, provider, model, run }));
}

/** Every operation the providers charge for, in every manner that changes the price. */
export const NATIVE_CALLS: readonly NativeCall[] = [
  ...named('openai', OPENAI_CALLS),
  ...named('anthropic', ANTHROPIC_CALLS),
  ...named('gemini', GEMINI_CALLS),
];

/** What costs nothing, and is on no bill. */
export const FREE_CALLS: readonly NativeCall[] = [
  ...named('openai', FREE),
  ...named('anthropic', ANTHROPIC_FREE),
  ...named('gemini', GEMINI_FREE),
];
