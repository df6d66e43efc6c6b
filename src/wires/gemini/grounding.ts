import type { Meters } from '#terms';

/** How Google bills a search: up to Gemini 2.5 once per prompt that was grounded, since Gemini 3 per query. */
export type GroundingUnit = 'prompt' | 'query';

const PER_PROMPT = /(?:^|\/)gemini-(?:1|2)(?:\.|-)/;

export function groundingUnitOf(model: string): GroundingUnit {
  return PER_PROMPT.test(model.toLowerCase()) ? 'prompt' : 'query';
}

/**
 * Collects the `groundingMetadata` of an answer's candidates and chunks, which may repeat each other. Empty queries are
 * not billed, and equal ones once (Gemini API pricing, Grounding with Google Search).
 */
export class Grounding {
  readonly #queries = new Set<string>();
  #fromWeb = false;
  #fromMaps = false;

  add(metadata: unknown): void {
    if (!isRecord(metadata)) return;
    this.#addQueries(metadata['webSearchQueries'], 'web');
    this.#addQueries(metadata['imageSearchQueries'], 'image');
    const chunks: unknown[] = Array.isArray(metadata['groundingChunks']) ? metadata['groundingChunks'] : [];
    for (const chunk of chunks) {
      if (!isRecord(chunk)) continue;
      if (isRecord(chunk['web']) || isRecord(chunk['image'])) this.#fromWeb = true;
      if (isRecord(chunk['maps'])) this.#fromMaps = true;
    }
  }

  /** What is billed beside the tokens. A tool that was declared and not used has no queries, and costs nothing. */
  meters(unit: GroundingUnit): Meters {
    const grounded = this.#queries.size > 0 || this.#fromWeb;
    return {
      ...(grounded && unit === 'prompt' ? { grounded_prompt: 1 } : {}),
      ...(grounded && unit === 'query' ? { web_search: Math.max(1, this.#queries.size) } : {}),
      // Maps have a fee of their own: without a price row for it the cost is incomplete, not zero.
      ...(this.#fromMaps ? { search_unit: 1 } : {}),
    };
  }

  #addQueries(queries: unknown, kind: string): void {
    if (!Array.isArray(queries)) return;
    for (const query of queries as unknown[]) {
      if (typeof query === 'string' && query.trim() !== '') this.#queries.add(`${kind}:${query}`);
    }
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
