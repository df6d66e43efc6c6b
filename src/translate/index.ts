/**
 * Is: calls of one dialect, answered by a provider of another.
 * Owns: what a request, an answer and a stream mean in every dialect. Not: usage, which is read from the provider's own bytes.
 * Holds: nothing is dropped in silence; a call costs what the same usage costs on the provider's own wire.
 * Fails: `invalid_field` for what the other dialect cannot say.
 */
export { targetsOf, translated } from './translated.ts';
