import type { Usage } from '#terms';
import type { AnswerContext, ClosingCost, RequestBody, UpstreamPlace } from '#wires';
import type { Answer, AnswerEvent, ProviderError } from './answer.ts';
import type { Prompt } from './prompt.ts';

/** How callers of a dialect ask, and are answered. */
export type CallerSide = {
  /** @throws ApportionError `invalid_field` for what is malformed, or has no place in a prompt */
  readPrompt(body: RequestBody): Prompt;
  writeAnswer(answer: Answer, around: Shown): object;
  writeError(error: ProviderError): object;
  writeStream(around: StreamAround): StreamWriter;
};

/** What stands around the words of an answer. Usage is null where it is not known. */
export type Shown = { readonly usage: Usage | null; readonly context: AnswerContext };

export type StreamAround = { readonly context: AnswerContext };

/** Puts the pieces of one answer into a stream of the caller's. */
export type StreamWriter = {
  /** Empty where nothing can be said yet. */
  write(events: readonly AnswerEvent[]): string;
  /** The end: usage, the cost as a comment, and the terminal event, which a stream that was cut does not get. */
  end(closing: Closing): string;
};

export type Closing = { readonly usage: Usage | null; readonly cost: ClosingCost };

/** How a provider of a dialect is asked, and how its answers are understood. */
export type ProviderSide = {
  /** The request's body; the model and what else is the gateway's is put in by the wire. @throws ApportionError `invalid_field` */
  writePrompt(prompt: Prompt, model: string): object;
  /** A whole answer. */
  readAnswer(payload: unknown, context: AnswerContext): readonly AnswerEvent[];
  readError(payload: unknown, status: number): ProviderError;
  readStream(context: AnswerContext): StreamReader;
  /** Its route under the root of the dialect's API; null where the model is part of it (Gemini, Bedrock). */
  readonly route: string | null;
  /** Where the provider takes it, unless it is hosted elsewhere. */
  path(place: UpstreamPlace): string;
  /** The action in the path of a request that is written (Gemini, Bedrock); empty for none. */
  action(prompt: Pick<Prompt, 'stream'>): string;
};

/** Understands one streamed answer, as its bytes come. */
export type StreamReader = { read(bytes: Buffer): readonly AnswerEvent[] };
