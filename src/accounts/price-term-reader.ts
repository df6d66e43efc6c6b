import { NO_TERMS, type PriceTerms } from '#pricing';

/** @param place what stands before the field in an error's `param` */
export function readPriceTerm(_json: unknown, _place: string): PriceTerms {
  return NO_TERMS;
}
