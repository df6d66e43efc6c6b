import { systemClock } from '#std';
import { ZERO_USD } from '#terms';
import { toFigures, type FiguresOf } from './subject-answer.ts';

/** Of what has no budget, no limit, and never made a call. */
export const NOTHING_SPENT: FiguresOf = () => toFigures(undefined, { spend: ZERO_USD, now: systemClock.now() });
