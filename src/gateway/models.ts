import { ApportionError } from '#terms';
import { CHAT_WIRES, type Dialect } from '#wires';
import type { CallDeps } from './call.ts';
import { decodeName } from './routes.ts';

type Listed = { readonly id: string; readonly provider: string };

/** The dialects whose clients list models. */
export type ListingDialect = Exclude<Dialect, 'bedrock' | 'cohere'>;

type Question = {
  readonly dialect: ListingDialect;
  /** Percent-encoded; empty for the list. */
  readonly wanted: string;
};

/** Routes of the settings come first: they are what an operator wants called. */
export function modelsAnswer(deps: Pick<CallDeps, 'upstreams' | 'routing'>, { dialect, wanted }: Question): unknown {
  // OpenAI's list is what dashboards and tools read: it names everything that can be called here.
  const served = deps.upstreams.list(dialect === 'openai' ? undefined : dialect);
  const models: Listed[] = [...deps.routing.names().map((id) => ({ id, provider: 'apportion' })), ...served];
  if (wanted === '') return LISTS[dialect](models);
  const id = decodeName(wanted).replace(/^models\//, '');
  const model = models.find((listed) => listed.id === id);
  if (model !== undefined) return MODELS[dialect](model);
  const choice = deps.upstreams.choose(id, CHAT_WIRES[dialect]);
  if (choice !== undefined) return MODELS[dialect]({ id, provider: choice.upstream.name });
  throw new ApportionError('model_not_found', `No configured provider serves the model ${id}.`, { param: 'model' });
}

/** When a model was made is not known here; the dialects ask for a time all the same. */
const UNKNOWN_TIME = '1970-01-01T00:00:00Z';

const MODELS: Readonly<Record<ListingDialect, (model: Listed) => unknown>> = {
  openai: ({ id, provider }) => ({ id, object: 'model', created: 0, owned_by: provider }),
  anthropic: ({ id }) => ({ type: 'model', id, display_name: id, created_at: UNKNOWN_TIME }),
  gemini: ({ id }) => ({
    name: `models/${id}`,
    displayName: id,
    supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens', 'embedContent'],
  }),
};

const LISTS: Readonly<Record<ListingDialect, (models: readonly Listed[]) => unknown>> = {
  openai: (models) => ({ object: 'list', data: models.map(MODELS.openai) }),
  anthropic: (models) => ({
    data: models.map(MODELS.anthropic),
    has_more: false,
    first_id: models[0]?.id ?? null,
    last_id: models.at(-1)?.id ?? null,
  }),
  gemini: (models) => ({ models: models.map(MODELS.gemini) }),
};
