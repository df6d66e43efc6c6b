/**
 * Is: the nouns of the product as types and pure functions: money, usage, charge, tag, ids, errors, limits.
 * Owns: their arithmetic and text forms. Not: I/O, clock, environment.
 * Holds: money is an integer of pico-dollars; a missing quantity is absent, never zero.
 * Fails: parsers answer `undefined`; `ApportionError` carries the code, status and hint a caller sees.
 */
export {
  addUsd,
  formatUsd,
  parseUsd,
  PICO_PER_USD,
  picoUsd,
  sumUsd,
  usdNumber,
  ZERO_USD,
  type PicoUsd,
} from './money.ts';
export { inputTokens, isTokenMeter, METERS, outputTokens, type Meter, type Meters, type Usage } from './usage.ts';
export { COST_STATES, type Charge, type CostState, type RatedCost, type UnitPrice } from './charge.ts';
export {
  ENTITY_TYPES,
  isUnder,
  PROVENANCES,
  TAG_SOURCES,
  type Dimension,
  type Entity,
  type Provenance,
  type TagConflict,
  type TagSet,
  type TagSource,
} from './tag.ts';
export { callBegan, makeCallId, makeEntryId, type CallId, type EntryId } from './ids.ts';
export { ROLES, type Role } from './role.ts';
export { LIMITS } from './limits.ts';
export { ApportionError, ERRORS, factsOf, toOpenAiError, type ErrorCode } from './errors.ts';
