import { type DeclarationDraft } from './declaration.ts';

/** Version, trace id, parent id, flags; a later version may have more behind. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

/** W3C trace context. The standard wants a malformed one ignored, not refused: the caller may not have made it. */
export function readTraceparent(draft: DeclarationDraft, text: string, name: string): void {
  const traceId = TRACEPARENT.exec(text.trim())?.[1];
  if (traceId === undefined) draft.warn(`${name} is malformed and was ignored`);
  else draft.addTrace(traceId, name);
}
