import type { JsonMember } from '#std';
import type { Usage } from '#terms';

/** A request body as it came: its bytes, and where its top-level members are. */
export type RequestBody = { readonly bytes: Buffer; readonly members: ReadonlyMap<string, JsonMember> };

/** What the call path needs to know of a request, whatever its dialect. */
export type WireRequest = {
  readonly model: string;
  readonly stream: boolean;
  /** The caller asked for usage in the stream, so the usage event is shown. */
  readonly wantsUsage: boolean;
  /** The most output tokens the caller allows per choice; null when the request does not say. */
  readonly maxOutputTokens: number | null;
  readonly choices: number;
  /** The most input tokens these bytes can become; null when they refer to something elsewhere (an image's URL, a file). */
  readonly maxInputTokens: number | null;
};

/** What must change before the bytes go upstream; everything else is forwarded as it came. */
export type RequestEdit = {
  readonly model: string;
  readonly stream: boolean;
  /** Fields of ours, which no provider knows. */
  readonly drop: ReadonlySet<string>;
  /** What is left of `metadata` for the provider. */
  readonly metadata:
    | { readonly action: 'keep' }
    | { readonly action: 'drop' }
    | { readonly action: 'replace'; readonly json: string };
};

/** What an answer says about itself. Absent texts are empty. */
export type AnswerFacts = {
  readonly id: string;
  readonly model: string;
  readonly usage: Usage | null;
  /** Text the caller received, for an estimate when `usage` is null. Empty when usage is known. */
  readonly outputText: string;
  /** Characters received beyond `outputText`, which is kept up to a limit. */
  readonly outputCharsBeyond: number;
  /** The provider reported an error inside a 200 answer. */
  readonly failed: boolean;
};

/** Follows one streamed answer as it passes. */
export type StreamMeter = {
  /** Takes what came from the provider; gives what may go to the caller now, null when nothing may. */
  push(chunk: Buffer): Buffer | null;
  /** True once the terminal event was seen: it is held until the ledger entry is durable. */
  finished(): boolean;
  facts(): AnswerFacts;
  /** The held events, the caller's usage event first, then the cost comment, then the terminal event. */
  closing(cost: { readonly usd: string | null; readonly state: string }): Buffer;
};

/** One wire format: bytes to facts, requests in and out. Knows no price, no tag and no key of ours. */
export type Wire = {
  readonly name: string;
  readRequest(body: RequestBody): WireRequest;
  writeRequest(body: RequestBody, edit: RequestEdit): Buffer;
  /** The caller's text, for an estimate of its tokens when the provider reports no usage. */
  requestText(body: RequestBody): string;
  readAnswer(bytes: Buffer): AnswerFacts;
  meterStream(options: { readonly wantsUsage: boolean }): StreamMeter;
};
