import type { JsonMember } from '#std';
import type { Meters, Usage } from '#terms';
import type { MultipartForm } from './multipart.ts';

/** The formats clients speak. A call keeps its dialect: what comes in as Anthropic's goes to a provider that speaks Anthropic's. */
export const DIALECTS = ['openai', 'anthropic', 'gemini', 'bedrock', 'cohere'] as const;

export type Dialect = (typeof DIALECTS)[number];

/** What the request line says; all empty where it says nothing. */
export type RequestTarget = {
  /** The model, where it stands in the path (Gemini, Bedrock). */
  readonly model: string;
  /** What follows it there: `streamGenerateContent`, `converse`. */
  readonly action: string;
  /** Without its question mark. */
  readonly query: string;
};

/** A request as it came: its bytes, where its top-level members are, and what its target says. */
export type RequestBody = {
  readonly bytes: Buffer;
  /** Members of a JSON body; empty when the body is a form, or there is none. */
  readonly members: ReadonlyMap<string, JsonMember>;
  /** Fields of a multipart body; null when it is none. */
  readonly form: MultipartForm | null;
  readonly target: RequestTarget;
  /** What a caller says in `anthropic-beta`, which clouds take in the body. */
  readonly betas?: string;
};

export const NO_TARGET: RequestTarget = { model: '', action: '', query: '' };

/** What the call path needs to know of a request, whatever its dialect. */
export type WireRequest = {
  /** Empty on routes that name none. */
  readonly model: string;
  readonly stream: boolean;
  /** The caller asked for usage in the stream, so the usage event is shown. */
  readonly wantsUsage: boolean;
  /** The most output tokens the caller allows per choice; null when the request does not say. */
  readonly maxOutputTokens: number | null;
  readonly choices: number;
  /** The most input tokens these bytes can become; null when they refer to something elsewhere (an image's URL, a file). */
  readonly maxInputTokens: number | null;
  /** What the request alone decides and no answer repeats: characters to speak, images to draw. */
  readonly meters?: Meters;
  /** The same at price rows of its own: an image at its quality and size (`dall-e-3/hd/1024x1792`). */
  readonly others?: Usage['others'];
};

/** What must change before the bytes go upstream; everything else is forwarded as it came. */
export type RequestEdit = {
  readonly model: string;
  /** Ask for usage in a stream, where the dialect sends none unasked and the server takes the question. */
  readonly askUsage: boolean;
  /** Fields of ours, which no provider knows. */
  readonly drop: ReadonlySet<string>;
  /** What is left of `metadata` for the provider. */
  readonly metadata:
    | { readonly action: 'keep' }
    | { readonly action: 'drop' }
    | { readonly action: 'replace'; readonly json: string };
  /** A lower limit of output tokens than the caller's, for the fields that the wire says carry it. */
  readonly outputLimit?: OutputLimit;
  /** The one field by which the server limits the output of a chat; absent where it reads whichever it is given. */
  readonly limitField?: 'max_tokens';
};

/** `names` are those of the request, or the one to put in where it has none. */
export type OutputLimit = { readonly tokens: number; readonly names: readonly string[] };

/** A parsed usage object. */
export type UsageObject = Readonly<Record<string, unknown>>;

/** Where one provider's answers differ from the dialect they are written in. */
export type Quirks = {
  /** `ask`: a stream carries usage only when `stream_options.include_usage` asks for it. `always`: it comes unasked, and the option may be refused. */
  readonly streamUsage: 'ask' | 'always';
  /** Reasoning tokens are a part of the output count, or stand beside it (xAI chat). */
  readonly reasoning: 'inside' | 'outside';
  /** The cost the provider states in its usage object, exact decimal USD; null where it states none. */
  readonly reportedCost: ((usage: UsageObject) => string | undefined) | null;
  /** The answer header that states the cost, lower case; null for none. */
  readonly reportedCostHeader: string | null;
  /** Chats are limited by `max_tokens` alone: the newer `max_completion_tokens` is refused, or worse, ignored. */
  readonly limitField?: 'max_tokens';
};

export const NO_QUIRKS: Quirks = {
  streamUsage: 'ask',
  reasoning: 'inside',
  reportedCost: null,
  reportedCostHeader: null,
};

/** What is known when an answer begins. */
export type AnswerContext = {
  readonly request: WireRequest;
  readonly quirks: Quirks;
  /** The provider's answer headers, lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The model as the provider knows it, where that decides how its counts are read. */
  readonly model?: string;
};

/** What an answer says about itself. Absent texts are empty. */
export type AnswerFacts = {
  readonly id: string;
  readonly model: string;
  readonly usage: Usage | null;
  /** False while `usage` speaks of a part of the answer: Anthropic's `message_start` before the output was written. */
  readonly usageComplete: boolean;
  /** Text the caller received, for an estimate where `usage` is not complete. Empty when it is. */
  readonly outputText: string;
  /** Characters received beyond `outputText`, which is kept up to a limit. */
  readonly outputCharsBeyond: number;
  /** The provider reported an error inside a 200 answer. Its text is no output. */
  readonly failed: boolean;
  /** The provider works on: this answer is a receipt, and what it will cost is told elsewhere, later (OpenAI's background responses). */
  readonly unfinished?: boolean;
};

/** An answer that says nothing. */
export const NO_FACTS: AnswerFacts = {
  id: '',
  model: '',
  usage: null,
  usageComplete: false,
  outputText: '',
  outputCharsBeyond: 0,
  failed: false,
};

export type ClosingCost = { readonly usd: string | null; readonly state: string };

/** Follows one streamed answer as it passes. */
export type StreamMeter = {
  /** Takes what came from the provider; gives what may go to the caller now, null when nothing may. */
  push(chunk: Buffer): Buffer | null;
  /** True once the terminal event was seen: it is held until the ledger entry is durable. */
  finished(): boolean;
  facts(): AnswerFacts;
  /** The held events: the caller's usage event first, then the cost comment, then the terminal event. */
  closing(cost: ClosingCost): Buffer;
};

export type AnswerNames = {
  readonly id: string;
  readonly model: string;
  readonly usage: string;
  /** What else decides the price, and stands near the usage: the served tier, tools that were used. */
  readonly beside?: readonly string[];
};

/** What decides the path of a request at the provider. */
export type UpstreamPlace = {
  /** The path of the base URL, without a slash at the end. */
  readonly basePath: string;
  readonly model: string;
  readonly stream: boolean;
  /** What the caller's target says. */
  readonly target: RequestTarget;
  /** The route under the root of the dialect's API (`/chat/completions`); null where the model is part of it (Gemini). */
  readonly route: string | null;
};

/** An answer as the provider gave it. */
export type GivenAnswer = { readonly bytes: Buffer; readonly status: number; readonly context: AnswerContext };

/**
 * The provider's side of a wire, where it is not the caller's: another dialect, another place or other frames. Requests
 * are written, usage is read and streams are metered in the provider's own words; what the caller sees is put into the
 * caller's afterwards.
 */
export type FarSide = {
  readonly dialect: Dialect;
  path(place: UpstreamPlace): string;
  /** How its answers become the caller's; null where only the place differs, and they pass as they come. */
  readonly words: FarWords | null;
};

export type FarWords = {
  /** Whether an answer of this content type is a stream. */
  isStream(contentType: string): boolean;
  /** The answer in the caller's words: JSON, errors included. */
  showAnswer(answer: GivenAnswer): Buffer;
};

/** One wire format: bytes to facts, requests in and out. Knows no price, no tag and no key of ours. */
export type Wire = {
  /** `openai.chat`: the dialect, and the operation in it; the provider's, where it is another than the caller's. */
  readonly name: string;
  /** The caller's. */
  readonly dialect: Dialect;
  /** What its answers call these members, to find them in the head and tail of one too large to hold. */
  readonly names: AnswerNames;
  readRequest(body: RequestBody): WireRequest;
  writeRequest(body: RequestBody, edit: RequestEdit): Buffer;
  /** The fields that limit the output of this request; none where it cannot be limited, or not without changing what it means. */
  outputLimitNames?(body: RequestBody): readonly string[];
  /** The caller's text, for an estimate of its tokens when the provider reports no usage. */
  requestText(body: RequestBody): string;
  readAnswer(bytes: Buffer, context: AnswerContext): AnswerFacts;
  meterStream(context: AnswerContext): StreamMeter;
  /** Absent where bytes pass through: the provider speaks as the caller does, where the dialect says. */
  readonly far?: FarSide;
};

/** What the provider is spoken to in. */
export function dialectOf(wire: Wire): Dialect {
  return wire.far?.dialect ?? wire.dialect;
}

/** Reads a usage object alone, as it stands in an answer of this wire or in the ledger. */
export type UsageReader = (usage: unknown, context: UsageContext) => Usage | null;

/** What decides the price and stands outside the usage object. */
export type UsageContext = {
  readonly quirks: Quirks;
  /** The model, where its family decides what the counts contain (Bedrock). */
  readonly model?: string;
  /** The service tier of the answer: what was served, not what was asked for. */
  readonly serviceTier?: string;
  /** Where it was processed, where the answer says so outside its usage. */
  readonly geo?: string;
  /** Quantities the request decided. */
  readonly request?: Meters;
  /** Quantities the answer shows outside its usage object: searches made, prompts grounded. */
  readonly answer?: Meters;
  /** A cost stated outside the usage object, exact decimal USD. */
  readonly reportedCost?: string;
};
