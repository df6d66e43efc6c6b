import { hash } from 'node:crypto';
import { countText } from './completion.ts';
import { answerJson, asText, refuse, type SandboxAnswer, type SandboxCall } from './exchange.ts';

const DEFAULT_DIMENSIONS = 256;
const MAX_DIMENSIONS = 4_096;

/** OpenAI's list of embeddings. A text always gets the same vector of length one; nothing else is meant by it. */
export function answerEmbeddings({ body }: SandboxCall): SandboxAnswer {
  const inputs = inputsOf(body?.['input']);
  const model = asText(body?.['model']);
  if (inputs === undefined || model === '') return refuse("'input' must be a text or texts.");
  const tokens = inputs.reduce((sum, text) => sum + countText(text), 0);
  return answerJson({
    object: 'list',
    data: inputs.map((text, index) => {
      const vector = vectorOf(text, body?.['dimensions']);
      const packed = (): string => Buffer.from(vector.buffer).toString('base64');
      const embedding = body?.['encoding_format'] === 'base64' ? packed() : Array.from(vector);
      return { object: 'embedding', index, embedding };
    }),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}

/** The vector of a text as numbers. @param wanted how many dimensions the caller asked for, if it is a number */
export function embeddingVector(text: string, wanted: unknown): number[] {
  return Array.from(vectorOf(text, wanted));
}

/** A text, texts, token numbers, or lists of token numbers. */
function inputsOf(input: unknown): string[] | undefined {
  if (typeof input === 'string') return [input];
  if (!Array.isArray(input) || input.length === 0) return undefined;
  if (input.every((item) => typeof item === 'number')) return [input.join(' ')];
  return input.map((item: unknown) => (Array.isArray(item) ? item.join(' ') : String(item)));
}

function vectorOf(text: string, wanted: unknown): Float32Array {
  const dimensions =
    typeof wanted === 'number' && wanted >= 1 ? Math.min(Math.floor(wanted), MAX_DIMENSIONS) : DEFAULT_DIMENSIONS;
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
