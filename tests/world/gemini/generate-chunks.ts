import type { UsageManner } from '../behaviour.ts';
import type { Said } from '../conversation.ts';

/** As Google counts: cached is inside the prompt; thoughts and the tools' prompt stand beside the other counts. */
export type GenerateTokens = {
  readonly prompt: number;
  readonly cached: number;
  readonly audio: number;
  readonly toolPrompt: number;
  readonly candidates: number;
  readonly thoughts: number;
  readonly queries: number;
};

/** What an answer tells, streamed or not. */
export type GenerateTold = {
  readonly id: string;
  readonly model: string;
  readonly tier: string;
  readonly choices: number;
  readonly said: Said;
  readonly showsThoughts: boolean;
  /** Its calls carry a signature, which must come back. */
  readonly signs: boolean;
  readonly logprobs: boolean;
  readonly used: GenerateTokens;
  readonly manner: UsageManner | undefined;
};

export type Chunk = { readonly chunk: string; readonly says: boolean };

export function wholeOf(told: GenerateTold): object {
  const candidate = (index: number) => ({
    content: { parts: wholeParts(told), role: 'model' },
    finishReason: 'STOP',
    ...(told.logprobs ? { logprobsResult: likelihoodsOf(told.said.pieces) } : {}),
    ...groundingOf(told.used),
    index,
  });
  return {
    candidates: Array.from({ length: told.choices }, (_, index) => candidate(index)),
    ...(told.manner === 'none' ? {} : { usageMetadata: usageOf(told, told.used) }),
    modelVersion: told.model,
    responseId: told.id,
  };
}

/** Every chunk says the running total; the last one has the finish reason, and says all of it. */
export function* chunksOf(told: GenerateTold): Generator<Chunk> {
  const { used, manner } = told;
  const parts = partsOf(told);
  const last = parts.length - 1;
  const show = manner !== 'none' && manner !== 'late';
  for (const [index, part] of parts.entries()) {
    const finish = index === last ? { finishReason: 'STOP', ...groundingOf(used) } : {};
    const seen = show && (manner !== 'on_finish_chunk' || index === last);
    yield chunkOf(told, {
      candidates: [{ content: { parts: [part], role: 'model' }, ...finish, index: 0 }],
      ...(seen ? { usageMetadata: usageOf(told, soFar(used, (index + 1) / parts.length)) } : {}),
    });
  }
  if (manner === 'late' || manner === 'duplicate') {
    yield chunkOf(told, { usageMetadata: usageOf(told, used) });
  }
}

/** What this provider signs its calls with, and takes back. */
export const SIGNATURE = 'CtQBAVSo3kGemini==';

type Part = Readonly<Record<string, unknown>>;

function partsOf({ said, showsThoughts, signs }: GenerateTold): readonly Part[] {
  const thoughts = showsThoughts ? [{ text: 'What did it cost? ', thought: true }] : [];
  const calls = said.calls.map(({ name, args }, at) => ({
    functionCall: { name, args },
    ...(signs && at === 0 ? { thoughtSignature: SIGNATURE } : {}),
  }));
  return [...thoughts, ...calls, ...said.pieces.map((text) => ({ text }))];
}

/** Neighbouring texts are one. */
function wholeParts(told: GenerateTold): readonly Part[] {
  const others = partsOf({ ...told, said: { ...told.said, pieces: [] } });
  return told.said.pieces.length === 0 ? others : [...others, { text: told.said.pieces.join('') }];
}

function likelihoodsOf(tokens: readonly string[]): object {
  const chosen = tokens.map((token) => ({ token, logProbability: -0.25, tokenId: 1 }));
  return { chosenCandidates: chosen, topCandidates: chosen.map((one) => ({ candidates: [one] })) };
}

function chunkOf({ id, model }: GenerateTold, payload: Readonly<Record<string, unknown>>): Chunk {
  return { chunk: JSON.stringify({ ...payload, modelVersion: model, responseId: id }), says: 'candidates' in payload };
}

function soFar(used: GenerateTokens, share: number): GenerateTokens {
  return { ...used, candidates: Math.floor(used.candidates * share) };
}

function usageOf({ tier }: GenerateTold, used: GenerateTokens): object {
  const { prompt, cached, audio, toolPrompt, candidates, thoughts } = used;
  const text = prompt - audio;
  return {
    promptTokenCount: prompt,
    ...(candidates > 0 ? { candidatesTokenCount: candidates } : {}),
    totalTokenCount: prompt + toolPrompt + candidates + thoughts,
    ...(cached > 0
      ? { cachedContentTokenCount: cached, cacheTokensDetails: [{ modality: 'TEXT', tokenCount: cached }] }
      : {}),
    promptTokensDetails: [
      { modality: 'TEXT', tokenCount: text },
      ...(audio > 0 ? [{ modality: 'AUDIO', tokenCount: audio }] : []),
    ],
    ...(toolPrompt > 0
      ? {
          toolUsePromptTokenCount: toolPrompt,
          toolUsePromptTokensDetails: [{ modality: 'TEXT', tokenCount: toolPrompt }],
        }
      : {}),
    ...(thoughts > 0 ? { thoughtsTokenCount: thoughts } : {}),
    serviceTier: tier,
  };
}

function groundingOf({ queries }: GenerateTokens): object {
  if (queries === 0) return {};
  const asked = Array.from({ length: queries }, (_, index) => `what it cost ${index + 1}`);
  return { groundingMetadata: { webSearchQueries: asked, searchEntryPoint: { renderedContent: '<div></div>' } } };
}
