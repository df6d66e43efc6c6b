/** What a Claude model takes, where they differ (platform.claude.com, models overview, extended and adaptive thinking). */
export type ClaudeModel = {
  readonly maxOutputTokens: number;
  /** Answers by a JSON schema (structured outputs). */
  readonly schemas: boolean;
  /** Takes temperature, top_p and top_k. */
  readonly sampling: boolean;
  /** Thinks for so many tokens as it is told, or for as long as it sees fit: when it is asked to, or always. */
  readonly thinking: 'never' | 'budget' | 'adaptive' | 'always';
  /** Can be made to call a tool. */
  readonly forcedTools: boolean;
};

const NEWEST: ClaudeModel = {
  maxOutputTokens: 128_000,
  schemas: true,
  sampling: false,
  thinking: 'adaptive',
  forcedTools: true,
};

/** The first that fits; whatever is newer than this list is taken for the newest. */
const MODELS: readonly (readonly [name: RegExp, model: Partial<ClaudeModel>])[] = [
  [/claude-(?:sonnet-5-5|opus-5-5|fable-5-1)/, { thinking: 'always', forcedTools: false }],
  [/claude-fable-5/, { thinking: 'always' }],
  [/claude-(?:sonnet|opus)-4-6/, { sampling: true }],
  [/claude-(?:sonnet|opus|haiku)-4-5/, { maxOutputTokens: 64_000, sampling: true, thinking: 'budget' }],
  [/claude-opus-4-1/, { maxOutputTokens: 32_000, sampling: true, thinking: 'budget' }],
  [/claude-opus-4-[78]/, {}],
  [/claude-sonnet-4/, { maxOutputTokens: 64_000, schemas: false, sampling: true, thinking: 'budget' }],
  [/claude-opus-4/, { maxOutputTokens: 32_000, schemas: false, sampling: true, thinking: 'budget' }],
  [/claude-3-7-sonnet/, { maxOutputTokens: 64_000, schemas: false, sampling: true, thinking: 'budget' }],
  [/claude-3-5/, { maxOutputTokens: 8_192, schemas: false, sampling: true, thinking: 'never' }],
  [
    /claude-(?:instant|v?2|3)(?:$|[-.:])/,
    { maxOutputTokens: 4_096, schemas: false, sampling: true, thinking: 'never' },
  ],
  [/claude-/, {}],
];

/** Servers that speak Anthropic's dialect for models of others: nothing is known of them, so nothing is refused here. */
const UNKNOWN: ClaudeModel = {
  ...NEWEST,
  maxOutputTokens: 8_192,
  // A server may pass over a format that it does not know; a tool that must be called, everybody knows.
  schemas: false,
  sampling: true,
  thinking: 'budget',
};

export function claudeModel(name: string): ClaudeModel {
  const found = MODELS.find(([pattern]) => pattern.test(name));
  return found === undefined ? UNKNOWN : { ...NEWEST, ...found[1] };
}
