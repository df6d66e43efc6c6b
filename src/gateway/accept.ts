import type { IncomingMessage } from 'node:http';
import type { Config } from '#config';
import { decodeBody, readBody } from '#http';
import { scanJsonObject, type Clock, type JsonMember, type Random, type TimestampMs } from '#std';
import { ApportionError, makeCallId, type CallId } from '#terms';
import { NO_TARGET, scanMultipart, type RequestBody, type RequestTarget } from '#wires';

export type AcceptDeps = {
  readonly config: Pick<Config, 'limits' | 'timeouts' | 'budgetStatus'>;
  readonly clock: Clock;
  readonly random: Random;
};

export type Accepted = {
  readonly callId: CallId;
  readonly startedAt: TimestampMs;
  readonly startedMs: number;
  readonly body: RequestBody;
};

/** `metered` bodies are JSON or a form and are read; what is passed through may be anything, and need not be. */
export type BodyForm = 'metered' | 'passed';

/** Reads the request whole, within its limits, and finds its fields without parsing what is only forwarded. */
export async function accept(
  deps: AcceptDeps,
  request: IncomingMessage,
  { target = NO_TARGET, form = 'metered' }: { readonly target?: RequestTarget; readonly form?: BodyForm } = {},
): Promise<Accepted> {
  const startedMs = deps.clock.elapsedMs();
  const limitBytes = deps.config.limits.maxBodyBytes;
  const sent = await readBody(request, { limitBytes, timeoutMs: deps.config.timeouts.bodyMs });
  const bytes = await decodeBody(sent, { encoding: request.headers['content-encoding'], limitBytes });
  const startedAt = deps.clock.now();
  return {
    callId: makeCallId(startedAt, deps.random(10)),
    startedAt,
    startedMs,
    body: {
      target,
      ...betasOf(request.headers['anthropic-beta']),
      ...bodyFields(bytes, { type: request.headers['content-type'] ?? '', form }),
    },
  };
}

function betasOf(header: string | string[] | undefined): { readonly betas?: string } {
  return header === undefined ? {} : { betas: String(header) };
}

/** Where the fields of a body are, by its content type. */
export function bodyFields(
  bytes: Buffer,
  { type, form }: { type: string; form: BodyForm },
): Omit<RequestBody, 'target' | 'betas'> {
  const kind = type.toLowerCase();
  if (kind.startsWith('multipart/form-data')) return { bytes, members: new Map(), form: scanMultipart(bytes, type) };
  if (form === 'passed' && (bytes.length === 0 || !kind.includes('json')))
    return { bytes, members: new Map(), form: null };
  const json = withoutMark(bytes);
  return { bytes: json, members: membersOf(json), form: null };
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Some editors and .NET writers put a mark before JSON; a parser may pass over it (RFC 8259, section 8.1). */
function withoutMark(bytes: Buffer): Buffer {
  return bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
    ? bytes.subarray(BYTE_ORDER_MARK.length)
    : bytes;
}

function membersOf(bytes: Buffer): ReadonlyMap<string, JsonMember> {
  const scan = scanJsonObject(bytes);
  if (!scan.ok) {
    throw new ApportionError(
      'body_not_json',
      `The request body is not valid JSON: ${scan.problem}, at byte ${scan.at}.`,
      {
        hint: 'Send one JSON object.',
      },
    );
  }
  const members = new Map<string, JsonMember>();
  for (const member of scan.members) {
    // Parsers differ in which of two they read: what is metered must be what the provider does.
    if (members.has(member.key)) {
      throw new ApportionError('duplicate_field', `The field ${member.key} is in the request twice.`, {
        param: member.key,
        hint: 'Send each field once.',
      });
    }
    members.set(member.key, member);
  }
  return members;
}
