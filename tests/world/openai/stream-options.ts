import type { Refusal } from '../dialect.ts';
import { isObject, type Fields } from '../json-fields.ts';
import { refusal, unknownParameter } from './refusals.ts';

export type StreamFields = {
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly includeObfuscation: boolean;
  /** The request says something about its stream. */
  readonly asksOptions: boolean;
};

export function readStreamFields(fields: Fields): StreamFields | Refusal {
  const stream = fields['stream'] === true;
  const options = fields['stream_options'];
  if (options === undefined || options === null)
    return { stream, includeUsage: false, includeObfuscation: true, asksOptions: false };
  const param = 'stream_options';
  if (!stream)
    return refusal(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", { param });
  if (!isObject(options)) return refusal(400, "Invalid type for 'stream_options': expected an object.", { param });
  for (const name of Object.keys(options)) {
    if (name !== 'include_usage' && name !== 'include_obfuscation') return unknownParameter(`${param}.${name}`);
  }
  return {
    stream,
    includeUsage: options['include_usage'] === true,
    includeObfuscation: options['include_obfuscation'] !== false,
    asksOptions: true,
  };
}
