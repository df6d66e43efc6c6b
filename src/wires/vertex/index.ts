import { anthropicCountTokens, anthropicMessages } from '../anthropic/index.ts';
import { MessageStreamMeter } from '../anthropic/stream.ts';
import { cloudBody } from '../cloud-body.ts';
import { geminiCountTokens, geminiGenerate } from '../gemini/index.ts';
import type { AnswerFacts, FarSide, RequestBody, RequestEdit, UpstreamPlace, Wire } from '../wire.ts';

/** The one version that Vertex AI knows (docs.cloud.google.com, Claude, request predictions). */
const VERSION = 'vertex-2023-10-16';

const IN_PATH: ReadonlySet<string> = new Set(['model']);
const NOTHING: ReadonlySet<string> = new Set();

/** Google's names have an `@`, which stands in its paths as it is. */
function modelPath({ basePath, model }: UpstreamPlace, publisher: string): string {
  return `${basePath}/publishers/${publisher}/models/${encodeURIComponent(model).replaceAll('%40', '@')}`;
}

const GOOGLE: FarSide = {
  dialect: 'gemini',
  path(place) {
    const pairs = place.target.query.split('&').filter((pair) => pair !== '' && !pair.startsWith('key='));
    const query = pairs.length === 0 ? '' : `?${pairs.join('&')}`;
    return `${modelPath(place, 'google')}:${place.target.action}${query}`;
  },
  words: null,
};

const ANTHROPIC: FarSide = {
  dialect: 'anthropic',
  path: (place) => `${modelPath(place, 'anthropic')}:${place.stream ? 'streamRawPredict' : 'rawPredict'}`,
  words: null,
};

/** Where a call is served, and at which price, is the location that was called: Anthropic's word speaks of its own places. */
function withoutGeo(facts: AnswerFacts): AnswerFacts {
  if (facts.usage?.geo === undefined) return facts;
  const { geo: _anthropics, ...usage } = facts.usage;
  return { ...facts, usage };
}

class LocatedStreamMeter extends MessageStreamMeter {
  override facts(): AnswerFacts {
    return withoutGeo(super.facts());
  }
}

/** Gemini under a project and a location, as under the Gemini API otherwise. */
export const geminiAtVertex: Wire = { ...geminiGenerate, name: 'vertex.generateContent', far: GOOGLE };

export const geminiCountAtVertex: Wire = { ...geminiCountTokens, name: 'vertex.countTokens', far: GOOGLE };

/** Anthropic's messages at Vertex AI: the model in the path, the version in the body, answers and streams as at home. */
export const claudeAtVertex: Wire = {
  ...anthropicMessages,
  name: 'vertex.messages',
  writeRequest: (body: RequestBody, edit: RequestEdit) =>
    cloudBody(anthropicMessages.writeRequest(body, edit), { version: VERSION, betas: '', without: IN_PATH }),
  readAnswer: (bytes, context) => withoutGeo(anthropicMessages.readAnswer(bytes, context)),
  meterStream: (context) => new LocatedStreamMeter(context),
  far: ANTHROPIC,
};

/** Tokens are counted for any of its models at one address, which the body names. */
export const claudeCountAtVertex: Wire = {
  ...anthropicCountTokens,
  name: 'vertex.count_tokens',
  writeRequest: (body: RequestBody, edit: RequestEdit) =>
    cloudBody(anthropicCountTokens.writeRequest(body, edit), { version: VERSION, betas: '', without: NOTHING }),
  far: { ...ANTHROPIC, path: ({ basePath }) => `${basePath}/publishers/anthropic/models/count-tokens:rawPredict` },
};
