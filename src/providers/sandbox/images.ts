import { countText } from './completion.ts';
import {
  answerEvents,
  answerJson,
  asText,
  formField,
  namedEvent,
  refuse,
  type JsonObject,
  type SandboxAnswer,
  type SandboxCall,
} from './exchange.ts';

/** A picture of one pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** What a picture costs in tokens by its quality: square, portrait, landscape (OpenAI's guide to image generation). */
const TOKENS: Readonly<Record<string, readonly [number, number, number]>> = {
  low: [272, 408, 400],
  medium: [1_056, 1_584, 1_568],
  high: [4_160, 6_240, 6_208],
};

/** What a picture that is sent to be changed costs. */
const INPUT_IMAGE_TOKENS = 323;

/** Draws, edits and varies: the same pixel each time, with the usage of a picture. */
export function answerImages(call: SandboxCall): SandboxAnswer {
  const { path } = call;
  const field = (name: string): string => fieldOf(call, name);
  const prompt = field('prompt');
  if (prompt === '' && !path.endsWith('/variations')) return refuse("'prompt' must be a text.");
  const images = Math.max(1, Number(field('n')) || 1);
  const quality = TOKENS[field('quality')] === undefined ? 'low' : field('quality');
  const size = /^\d+x\d+$/.test(field('size')) ? field('size') : '1024x1024';
  const textTokens = prompt === '' ? 0 : countText(prompt);
  const imageTokens = path.endsWith('/generations') ? 0 : INPUT_IMAGE_TOKENS;
  const drawn = tokensOf(quality, size) * images;
  const usage = {
    input_tokens: textTokens + imageTokens,
    input_tokens_details: { text_tokens: textTokens, image_tokens: imageTokens },
    output_tokens: drawn,
    output_tokens_details: { image_tokens: drawn, text_tokens: 0 },
    total_tokens: textTokens + imageTokens + drawn,
  };
  const shared = { background: 'opaque', output_format: 'png', quality, size, usage };
  if (field('stream') === 'true') return streamed(call, shared);
  return answerJson({
    created: call.createdS,
    data: Array.from({ length: images }, () => ({ b64_json: PNG })),
    ...shared,
  });
}

function streamed({ path, createdS }: SandboxCall, shared: JsonObject): SandboxAnswer {
  const type = path.endsWith('/generations') ? 'image_generation.completed' : 'image_edit.completed';
  return answerEvents([namedEvent({ type, b64_json: PNG, created_at: createdS, ...shared })]);
}

function tokensOf(quality: string, size: string): number {
  const [width = 0, height = 0] = size.split('x').map(Number);
  const [square, portrait, landscape] = TOKENS[quality] ?? [0, 0, 0];
  if (width === height) return square;
  return width < height ? portrait : landscape;
}

function fieldOf(call: SandboxCall, name: string): string {
  if (call.body === null) return formField(call, name)?.toString('utf8') ?? '';
  const value = call.body[name];
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : asText(value);
}
