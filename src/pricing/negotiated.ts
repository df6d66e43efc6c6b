import { invariant } from '#std';
import { picoUsd, type PicoUsd } from '#terms';
import { divideHalfEven, multiply, parseRatio, type Ratio } from './amount.ts';

/** Shares as decimals: a discount of `0.125` is 12.5 % off the list; the markup goes on what is left. */
export type NegotiatedTerms = { readonly discount: string; readonly markup: string };

/** From the list cost to what the provider charges and to what is charged on, each exact and rounded once, half-even. */
export function negotiate(list: PicoUsd, terms: NegotiatedTerms): { readonly cost: PicoUsd; readonly billed: PicoUsd } {
  const discount = parseRatio(terms.discount);
  const markup = parseRatio(terms.markup);
  invariant(discount !== undefined && discount.num <= discount.den, `a discount is a share: ${terms.discount}`);
  invariant(markup !== undefined, `a markup is a share: ${terms.markup}`);
  const kept: Ratio = { num: discount.den - discount.num, den: discount.den };
  const charged = multiply(kept, { num: markup.den + markup.num, den: markup.den });
  const times = ({ num, den }: Ratio): PicoUsd => picoUsd(divideHalfEven(list * num, den));
  return { cost: times(kept), billed: times(charged) };
}
