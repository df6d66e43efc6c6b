import { hash } from 'node:crypto';

const DEFAULT_DIMENSIONS = 256;
const MAX_DIMENSIONS = 4_096;
const CHARS_PER_TOKEN = 4;

/**
 * OpenAI's list of embeddings for a request body, undefined when it has no `input`. A text always gets the same vector of
 * length one; nothing else is meant by it.
 */
export function embedInSandbox(body: Readonly<Record<string, unknown>>): unknown {
  const inputs = inputsOf(body['input']);
  if (inputs === undefined || typeof body['model'] !== 'string') return undefined;
  const wanted = body['dimensions'];
  const dimensions =
    typeof wanted === 'number' && wanted >= 1 ? Math.min(Math.floor(wanted), MAX_DIMENSIONS) : DEFAULT_DIMENSIONS;
  const tokens = inputs.reduce((sum, text) => sum + Math.max(1, Math.ceil(text.length / CHARS_PER_TOKEN)), 0);
  return {
    object: 'list',
    data: inputs.map((text, index) => {
      const vector = vectorOf(text, dimensions);
      const embedding =
        body['encoding_format'] === 'base64' ? Buffer.from(vector.buffer).toString('base64') : Array.from(vector);
      return { object: 'embedding', index, embedding };
    }),
    model: body['model'],
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

/** A text, texts, token numbers, or lists of token numbers. */
function inputsOf(input: unknown): string[] | undefined {
  if (typeof input === 'string') return [input];
  if (!Array.isArray(input) || input.length === 0) return undefined;
  if (input.every((item) => typeof item === 'number')) return [input.join(' ')];
  return input.map((item: unknown) => (Array.isArray(item) ? item.join(' ') : String(item)));
}

function vectorOf(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  let digest = Buffer.alloc(0);
  for (let index = 0; index < dimensions; index += 1) {
    const at = (index % 8) * 4;
    if (at === 0) digest = hash('sha256', `${index}:${text}`, 'buffer');
    vector[index] = digest.readInt32LE(at) / 0x8000_0000;
  }
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
