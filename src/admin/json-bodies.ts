import type { FastifyInstance } from 'fastify';
import { ApportionError, LIMITS } from '#terms';

/** Bodies as Fastify reads them, but for those that nest so deeply that whoever walks through them runs out of stack. */
export function readJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = String(body);
    if (isDeeperThan(text, LIMITS.jsonDepth)) {
      const hint = `At most ${LIMITS.jsonDepth} levels are read.`;
      done(new ApportionError('body_not_json', 'The body nests too deeply.', { hint }));
      return;
    }
    return parse(request, text, done);
  });
}

function isDeeperThan(text: string, most: number): boolean {
  let depth = 0;
  let within = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (within) {
      if (character === '\\') at += 1;
      else if (character === '"') within = false;
    } else if (character === '"') within = true;
    else if (character === '[' || character === '{') {
      depth += 1;
      if (depth > most) return true;
    } else if (character === ']' || character === '}') depth -= 1;
  }
  return false;
}
