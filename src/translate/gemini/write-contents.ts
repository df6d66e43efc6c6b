import { isFields } from '../fields.ts';
import type { MediaPart, Part, Signature, ToolCallPart, ToolResultPart, Turn } from '../prompt.ts';
import { malformed, unsayable } from '../refusal.ts';

/** Models that refuse a call of theirs without the signature it came with (Gemini API, thought signatures). */
const SIGNS = /gemini-[3-9]/;

/** What Google says to send for calls whose signature was lost on the way, or that another model made. */
const LOST_SIGNATURE = 'skip_thought_signature_validator';

export function writeContents(turns: readonly Turn[], model: string): readonly object[] {
  return turns.flatMap(({ role, parts }) => {
    const written = role === 'user' ? parts.flatMap(writeSaid) : writeModel(parts, SIGNS.test(model));
    return written.length === 0 ? [] : [{ role: role === 'user' ? 'user' : 'model', parts: written }];
  });
}

/** Images among results stand behind them: not every model takes them inside. */
function writeSaid(part: Part): object[] {
  switch (part.kind) {
    case 'text':
      return [{ text: part.text }];
    case 'media':
      return [writeMedia(part)];
    case 'tool_result':
      return [writeResponse(part), ...part.content.filter(({ kind }) => kind === 'media').flatMap(writeSaid)];
    default:
      throw unsayable(part.at, 'a user says texts, media and results of tools');
  }
}

/** Earlier thoughts are not sent, their signatures are: each with what follows it. */
function writeModel(parts: readonly Part[], signs: boolean): object[] {
  const written: object[] = [];
  let pending: Signature | null = null;
  let signed = false;
  for (const part of parts) {
    if (part.kind === 'reasoning') {
      if (part.signature?.by === 'gemini' && !part.opaque) pending = part.signature;
      continue;
    }
    const own = part.kind === 'tool_call' && part.signature?.by === 'gemini' ? part.signature : pending;
    pending = null;
    if (part.kind === 'tool_call') {
      const lost = signs && own === null && !signed ? LOST_SIGNATURE : null;
      signed = true;
      written.push({ ...writeCall(part), ...signature(own?.value ?? lost) });
    } else if (part.kind === 'text' || part.kind === 'refusal') {
      written.push({ text: part.text, ...signature(own?.value ?? null) });
    } else if (part.kind === 'media') written.push(writeMedia(part));
    else throw unsayable(part.at, 'a model says texts, media and calls of tools');
  }
  if (pending !== null) written.push({ text: '', ...signature(pending.value) });
  return written;
}

function signature(value: string | null): object {
  return value === null ? {} : { thoughtSignature: value };
}

function writeCall({ name, args, at }: ToolCallPart): object {
  const given = args === '' ? {} : parseArgs(args, at);
  if (!isFields(given)) throw malformed(at, 'a call whose arguments are a JSON object');
  return { functionCall: { name, args: given } };
}

function parseArgs(args: string, at: string): unknown {
  try {
    return JSON.parse(args);
  } catch {
    throw malformed(at, 'a call whose arguments are JSON');
  }
}

function writeResponse({ name, content, failed }: ToolResultPart): object {
  const texts = content.flatMap((part) => (part.kind === 'text' ? [part.text] : []));
  return { functionResponse: { name, response: responseOf(texts.join('\n'), failed) } };
}

/** An object stays one; a text has a name of Google's. */
function responseOf(said: string, failed: boolean): object {
  if (failed) return { error: said };
  if (!said.startsWith('{')) return { output: said };
  try {
    const value: unknown = JSON.parse(said);
    return isFields(value) ? value : { output: said };
  } catch {
    return { output: said };
  }
}

/** Google asks for the type of what it fetches; most addresses end in it. */
const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  pdf: 'application/pdf',
  mp3: 'audio/mp3',
  wav: 'audio/wav',
  mp4: 'video/mp4',
};

function writeMedia({ source, type, at }: MediaPart): object {
  switch (source.from) {
    case 'text':
      return { text: source.text };
    case 'data':
      return { inlineData: { mimeType: type, data: source.base64 } };
    case 'url': {
      const ending = /\.([a-z0-9]+)(?:[?#].*)?$/i.exec(source.url)?.[1]?.toLowerCase() ?? '';
      const known = type === '' ? TYPES[ending] : type;
      if (known === undefined)
        throw unsayable(at, 'Gemini must know the type of what it fetches', 'Send the bytes in base64.');
      return { fileData: { mimeType: known, fileUri: source.url } };
    }
  }
}
