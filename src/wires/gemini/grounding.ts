import type { Meters } from '#terms';
import { asObject, asObjects } from '../loose-json.ts';

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
    const said = asObject(metadata);
    if (said === null) return;
    this.#addQueries(said['webSearchQueries'], 'web');
    this.#addQueries(said['imageSearchQueries'], 'image');
    for (const { web, image, maps } of asObjects(said['groundingChunks'])) {
      if (asObject(web) !== null || asObject(image) !== null) this.#fromWeb = true;
      if (asObject(maps) !== null) this.#fromMaps = true;
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
