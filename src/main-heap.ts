import { setFlagsFromString } from 'node:v8';

const GROWTH_PERCENT = 50;

/**
 * The old generation is collected when it has grown by half, in all threads of the process. Left to itself, V8 waits where there is much
 * memory until it is four times what lives there: what a burst of calls left behind stayed for hours, and nobody could tell it from a leak.
 */
export function boundHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
