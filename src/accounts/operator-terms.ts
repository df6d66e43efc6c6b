import { combineTerms, parsePriceTerm, type Contract, type Markup, type PriceTerms } from '#pricing';
import { ApportionError } from '#terms';
import { type StoredPriceTerm } from './price-term-record.ts';

export type OperatorTerms = {
  readonly terms: PriceTerms;
  /** Stored terms that this version cannot read, and why. They price nothing. */
  readonly faults: readonly string[];
};

/**
 * Everything the operator says about prices, in the order in which it holds: what was said through the API before the
 * configuration file; of that the narrower scope before the wider, the later beginning before the earlier, the newer before the older.
 *
 * @param stored newest first
 */
export function combineOperatorTerms(file: PriceTerms, stored: readonly StoredPriceTerm[]): OperatorTerms {
  const faults: string[] = [];
  const said = combineTerms(stored.flatMap((term) => read(term, faults)));
  const ordered = {
    rows: said.rows,
    contracts: said.contracts.toSorted(strongestFirst),
    markups: said.markups.toSorted(strongestFirst),
  };
  return { terms: combineTerms([ordered, file]), faults };
}

function read({ id, body }: StoredPriceTerm, faults: string[]): PriceTerms[] {
  try {
    return [parsePriceTerm(body)];
  } catch (error) {
    if (!(error instanceof ApportionError)) throw error;
    // One that an older version took must not stop all others; it is told, and what it would have priced is unpriced or listed.
    faults.push(`${id}: ${error.message}`);
    return [];
  }
}

function strongestFirst<T extends Contract | Markup>(left: T, right: T): number {
  const byScope = narrowness(right) - narrowness(left);
  if (byScope !== 0) return byScope;
  const [leftStart, rightStart] = [left.effectiveFrom ?? -Infinity, right.effectiveFrom ?? -Infinity];
  return leftStart === rightStart ? 0 : rightStart - leftStart;
}

/** How many things a term is held to. */
function narrowness(term: Contract | Markup): number {
  const scope =
    'markup' in term
      ? [term.provider, term.model, term.team, term.key, term.tag]
      : [term.provider, term.model, term.serviceTier, term.region];
  return scope.filter((one) => one !== null).length;
}
