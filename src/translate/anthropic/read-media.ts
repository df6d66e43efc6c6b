import { asFields, only, text, textNeeded, type Fields } from '../fields.ts';
import type { MediaPart, MediaSource } from '../prompt.ts';
import { malformed, unsayable } from '../refusal.ts';
import { readCache } from './read-tools.ts';

const IMAGE_FIELDS: ReadonlySet<string> = new Set(['type', 'source', 'cache_control']);

export function readImage(block: Fields, at: string): MediaPart {
  only(block, IMAGE_FIELDS, at);
  const source = asFields(block['source'], `${at}.source`);
  const cache = readCache(block['cache_control'], `${at}.cache_control`);
  return { kind: 'media', medium: 'image', ...readSource(source, `${at}.source`), name: '', at, cache };
}

const DOCUMENT_FIELDS: ReadonlySet<string> = new Set(['type', 'source', 'title', 'citations', 'cache_control']);

export function readDocument(block: Fields, at: string): MediaPart {
  only(block, DOCUMENT_FIELDS, at);
  const citations = block['citations'];
  if (citations !== undefined && citations !== null && asFields(citations, `${at}.citations`)['enabled'] === true)
    throw unsayable(`${at}.citations`, 'only Anthropic cites the documents it was given');
  const source = asFields(block['source'], `${at}.source`);
  const name = text(block, 'title', at) ?? '';
  const cache = readCache(block['cache_control'], `${at}.cache_control`);
  return { kind: 'media', medium: 'document', ...readSource(source, `${at}.source`), name, at, cache };
}

function readSource(source: Fields, at: string): { readonly type: string; readonly source: MediaSource } {
  switch (source['type']) {
    case 'base64':
      return {
        type: textNeeded(source, 'media_type', at),
        source: { from: 'data', base64: textNeeded(source, 'data', at) },
      };
    case 'url':
      return { type: '', source: { from: 'url', url: textNeeded(source, 'url', at) } };
    case 'text':
      return { type: 'text/plain', source: { from: 'text', text: textNeeded(source, 'data', at) } };
    case 'file':
      throw unsayable(at, 'the file is with Anthropic', 'Send its bytes in base64.');
    case 'content':
      if (typeof source['content'] === 'string')
        return { type: 'text/plain', source: { from: 'text', text: source['content'] } };
      throw unsayable(at, 'only Anthropic takes a document in blocks', 'Send the blocks themselves.');
    default:
      throw malformed(`${at}.type`, 'base64, url or text');
  }
}
