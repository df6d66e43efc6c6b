import { type IncomingHttpHeaders } from 'node:http';

const BEARER = /^bearer +(\S+) *$/i;

/** The caller's token: `Authorization: Bearer …`, else `x-api-key` (Anthropic's SDKs), `x-goog-api-key` (Google's), `api-key` (Azure's). */
export function bearerToken(headers: IncomingHttpHeaders): string | undefined {
  const authorization = headers.authorization;
  if (authorization !== undefined && authorization !== '') return BEARER.exec(authorization)?.[1];
  return one(headers['x-api-key']) ?? one(headers['x-goog-api-key']) ?? one(headers['api-key']);
}

function one(value: string | string[] | undefined): string | undefined {
  const text = typeof value === 'string' ? value.trim() : '';
  return text === '' ? undefined : text;
}
