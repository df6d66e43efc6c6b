import { type ConfigFile } from './config-file.ts';
import { type ConfigProblem } from './problem.ts';
import { type Places } from './read-at-place.ts';

/** The operator's price rows, contracts and markups as the file has them. #pricing reads them, through `readAtPlace`. */
export type PricesConfig = { readonly terms: readonly unknown[]; readonly places: Places };

const PATH = ['prices'] as const;

export function readPrices(file: ConfigFile): { readonly prices: PricesConfig; readonly problems: ConfigProblem[] } {
  const given = file.value(PATH);
  const problems = file.repeatedKeysBelow(PATH);
  const isList = Array.isArray(given);
  if (given !== undefined && !isList) {
    const fix = 'It must be a list of price rows, contracts and markups.';
    problems.push({ setting: file.named(PATH), what: 'this value does not fit', fix });
  }
  return { prices: { terms: isList ? given : [], places: file.placesBelow(PATH) }, problems };
}
