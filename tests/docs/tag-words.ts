import type { Attributed } from '../journeys/attributed.ts';
import { spans } from './page.ts';

/** What a page says a call becomes: `team=growth`, `label beta`, `path US/California`, `session s-1`, … */
export type Becomes = {
  readonly entity: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly labels: readonly string[];
  readonly paths: readonly string[];
  readonly sessionId: string;
  readonly sessionPath: string;
  readonly traceId: string;
};

export function readBecomes(cell: string): Becomes {
  const found: Record<'entity' | 'label' | 'path' | 'session' | 'step' | 'trace', string[]> = {
    entity: [],
    label: [],
    path: [],
    session: [],
    step: [],
    trace: [],
  };
  const tags: Record<string, string> = {};
  for (const span of spans(cell)) {
    const [, word = '', rest = ''] = /^(entity|label|path|session|step|trace) (.+)$/.exec(span) ?? [];
    const equals = span.indexOf('=');
    if (isWord(word, found)) found[word].push(rest);
    else if (equals > 0) tags[span.slice(0, equals)] = span.slice(equals + 1);
    else throw new Error(`"${span}" says nothing of a call`);
  }
  const traceId = found.trace[0] ?? '';
  return {
    entity: found.entity[0] ?? null,
    tags,
    labels: found.label,
    paths: found.path,
    // Where nothing says a session, the trace is one.
    sessionId: found.session[0] ?? traceId,
    sessionPath: found.step[0] ?? '',
    traceId,
  };
}

function isWord<Word extends string>(word: string, known: Readonly<Record<Word, unknown>>): word is Word {
  return Object.hasOwn(known, word);
}

/** What a call became, in the same terms. The entity only counts where the page names it. */
export function became(call: Attributed, { entity }: Pick<Becomes, 'entity'>): Becomes {
  return {
    entity: entity === null ? null : call.entity,
    tags: call.tags,
    labels: call.labels,
    paths: call.paths,
    sessionId: call.sessionId,
    sessionPath: call.sessionPath,
    traceId: call.traceId,
  };
}
