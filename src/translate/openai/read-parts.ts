import { asFields, only, text, textNeeded, type Fields } from '../fields.ts';
import type { CacheMark, MediaPart, MediaSource, TextPart } from '../prompt.ts';
import { malformed, unsayable } from '../refusal.ts';
import { readCache } from './read-tools.ts';

const PART_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  text: new Set(['type', 'text', 'cache_control', 'prompt_cache_breakpoint']),
  image_url: new Set(['type', 'image_url', 'cache_control', 'prompt_cache_breakpoint']),
  input_audio: new Set(['type', 'input_audio', 'cache_control', 'prompt_cache_breakpoint']),
  file: new Set(['type', 'file', 'cache_control', 'prompt_cache_breakpoint']),
};

/** One part of a message: a text, an image, a sound or a file. */
export function readContentPart(part: unknown, at: string): TextPart | MediaPart {
  const given = asFields(part, at);
  const type = text(given, 'type', at) ?? '';
  const known = PART_FIELDS[type];
  if (known === undefined) throw unsayable(at, `a part of type ${type} is not known to translation`);
  only(given, known, at);
  const cache = cacheOf(given, at);
  switch (type) {
    case 'text':
      return { kind: 'text', text: textNeeded(given, 'text', at), at, cache };
    case 'image_url':
      return readImage(asFields(given['image_url'], `${at}.image_url`), { at, cache });
    case 'input_audio':
      return readAudio(asFields(given['input_audio'], `${at}.input_audio`), { at, cache });
    default:
      return readFile(asFields(given['file'], `${at}.file`), { at, cache });
  }
}

function cacheOf(part: Fields, at: string): CacheMark | null {
  const breakpoint = part['prompt_cache_breakpoint'];
  if (breakpoint === undefined || breakpoint === null) return readCache(part['cache_control'], `${at}.cache_control`);
  // Half an hour is more than five minutes, twelve are more than one.
  return { lifetime: asFields(breakpoint, at)['ttl'] === undefined ? '5m' : '1h' };
}

type Placed = { readonly at: string; readonly cache: CacheMark | null };

const IMAGE_FIELDS: ReadonlySet<string> = new Set(['url', 'detail', 'format']);

/** `detail` decides how closely OpenAI looks; others look as closely as they can. */
function readImage(image: Fields, { at, cache }: Placed): MediaPart {
  only(image, IMAGE_FIELDS, `${at}.image_url`);
  const url = textNeeded(image, 'url', `${at}.image_url`);
  const data = parseDataUrl(url);
  return {
    kind: 'media',
    medium: 'image',
    type: data?.type ?? text(image, 'format', at) ?? '',
    source: data === null ? { from: 'url', url } : { from: 'data', base64: data.base64 },
    name: '',
    at,
    cache,
  };
}

const SOUNDS: Readonly<Record<string, string>> = { wav: 'audio/wav', mp3: 'audio/mp3' };

function readAudio(audio: Fields, { at, cache }: Placed): MediaPart {
  const format = text(audio, 'format', `${at}.input_audio`) ?? '';
  const type = SOUNDS[format];
  if (type === undefined) throw malformed(`${at}.input_audio.format`, 'wav or mp3');
  const base64 = textNeeded(audio, 'data', `${at}.input_audio`);
  return { kind: 'media', medium: 'audio', type, source: { from: 'data', base64 }, name: '', at, cache };
}

const FILE_FIELDS: ReadonlySet<string> = new Set(['file_data', 'filename', 'file_id', 'format']);

function readFile(file: Fields, { at, cache }: Placed): MediaPart {
  const place = `${at}.file`;
  only(file, FILE_FIELDS, place);
  if (text(file, 'file_id', place) !== null && text(file, 'file_data', place) === null)
    throw unsayable(`${place}.file_id`, 'the file is with another provider', 'Send it in file_data, as a data URL.');
  const given = textNeeded(file, 'file_data', place);
  const data = parseDataUrl(given);
  if (data === null) throw malformed(`${place}.file_data`, 'a data URL (data:application/pdf;base64,…)');
  return {
    kind: 'media',
    medium: mediumOf(data.type),
    type: data.type,
    source: sourceOf(data),
    name: text(file, 'filename', place) ?? '',
    at,
    cache,
  };
}

type Data = { readonly type: string; readonly base64: string };

function sourceOf({ type, base64 }: Data): MediaSource {
  if (!type.startsWith('text/')) return { from: 'data', base64 };
  return { from: 'text', text: Buffer.from(base64, 'base64').toString('utf8') };
}

function mediumOf(type: string): MediaPart['medium'] {
  const [kind] = type.split('/');
  return kind === 'image' || kind === 'audio' || kind === 'video' ? kind : 'document';
}

const BASE64 = ';base64,';

function parseDataUrl(url: string): Data | null {
  if (!url.startsWith('data:')) return null;
  const comma = url.indexOf(BASE64);
  if (comma === -1) return null;
  const [type = ''] = url.slice('data:'.length, comma).split(';');
  return { type, base64: url.slice(comma + BASE64.length) };
}
