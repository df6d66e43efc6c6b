/** A conversation and what is wanted of it, in no dialect's words. */
export type Prompt = {
  /** Instructions that stand before the conversation, in order. */
  readonly system: readonly TextPart[];
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice | null;
  /** Whether the model may call several tools at once; null where the caller leaves it open. */
  readonly parallelTools: boolean | null;
  readonly output: OutputFormat | null;
  readonly stream: boolean;
  /** The most output tokens per choice. */
  readonly maxOutputTokens: number | null;
  readonly choices: number;
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly topK: number | null;
  readonly stop: readonly string[];
  readonly seed: number | null;
  readonly frequencyPenalty: number | null;
  readonly presencePenalty: number | null;
  /** Likelihoods of the tokens written, and of so many others in their place; null for none. */
  readonly logprobs: { readonly others: number } | null;
  readonly reasoning: Reasoning | null;
  /** How much is written (OpenAI's `verbosity`). */
  readonly verbosity: 'low' | 'medium' | 'high' | null;
  readonly serviceTier: ServiceTier | null;
  /** The end user, as the caller names them to the provider. */
  readonly user: string | null;
  /** What the caller calls these, for a refusal that names the field. */
  readonly names: SettingNames;
};

export type Setting =
  | 'system'
  | 'tools'
  | 'toolChoice'
  | 'parallelTools'
  | 'output'
  | 'maxOutputTokens'
  | 'choices'
  | 'temperature'
  | 'topP'
  | 'topK'
  | 'stop'
  | 'seed'
  | 'frequencyPenalty'
  | 'presencePenalty'
  | 'logprobs'
  | 'reasoning'
  | 'verbosity'
  | 'serviceTier'
  | 'user';

export type SettingNames = Readonly<Record<Setting, string>>;

export type Turn = { readonly role: 'user' | 'assistant'; readonly parts: readonly Part[] };

export type Part = TextPart | MediaPart | ToolCallPart | ToolResultPart | ReasoningPart | RefusalPart;

/** Where a part stands in the caller's request: `messages[2].content[0]`. */
type Placed = { readonly at: string; readonly cache: CacheMark | null };

/** Everything up to here is to be cached, for so long. */
export type CacheMark = { readonly lifetime: '5m' | '1h' };

export type TextPart = Placed & { readonly kind: 'text'; readonly text: string };

export type Medium = 'image' | 'document' | 'audio' | 'video';

export type MediaPart = Placed & {
  readonly kind: 'media';
  readonly medium: Medium;
  /** Its media type (`image/png`); empty where the caller does not say. */
  readonly type: string;
  readonly source: MediaSource;
  /** A file's name; empty for none. */
  readonly name: string;
};

/** `text` is a document in plain text. */
export type MediaSource =
  | { readonly from: 'data'; readonly base64: string }
  | { readonly from: 'url'; readonly url: string }
  | { readonly from: 'text'; readonly text: string };

export type ToolCallPart = Placed & {
  readonly kind: 'tool_call';
  readonly id: string;
  readonly name: string;
  /** JSON text. */
  readonly args: string;
  readonly signature: Signature | null;
};

export type ToolResultPart = Placed & {
  readonly kind: 'tool_result';
  readonly id: string;
  /** The tool that was called. */
  readonly name: string;
  readonly content: readonly (TextPart | MediaPart)[];
  readonly failed: boolean;
};

/** What a model thought, and what proves that it did. Opaque where only the proof is left. */
export type ReasoningPart = Placed & {
  readonly kind: 'reasoning';
  readonly text: string;
  readonly signature: Signature | null;
  readonly opaque: boolean;
};

export type RefusalPart = Placed & { readonly kind: 'refusal'; readonly text: string };

/** A provider's seal on what its model thought: only the same provider can read it. */
export type Signature = { readonly by: 'anthropic' | 'gemini' | 'openai' | 'bedrock'; readonly value: string };

export type Tool = {
  readonly name: string;
  readonly description: string;
  /** JSON schema of its arguments; null for a tool that takes none. */
  readonly schema: unknown;
  readonly strict: boolean | null;
  readonly at: string;
  readonly cache: CacheMark | null;
};

/** `only`: the tools that may be called; empty for all. */
export type ToolChoice = { readonly mode: 'auto' | 'required' | 'none'; readonly only: readonly string[] };

/** Any JSON, or JSON by a schema. */
export type OutputFormat =
  | { readonly kind: 'json' }
  | {
      readonly kind: 'schema';
      readonly name: string;
      readonly description: string;
      readonly schema: unknown;
      readonly strict: boolean | null;
    };

export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

export type Effort = (typeof EFFORTS)[number];

/** How long to think, by a word or by a count of tokens; both null leave it to the model. */
export type Reasoning = {
  readonly effort: Effort | null;
  readonly budgetTokens: number | null;
  /** Whether the thoughts are shown; null where the caller does not say. */
  readonly shown: boolean | null;
};

export type ServiceTier = 'auto' | 'default' | 'flex' | 'priority';
