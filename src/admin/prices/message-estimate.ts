import { invariant, scanJsonObject } from '#std';
import type { TokenBound } from '#pricing';
import type { Usage } from '#terms';
import { NO_TARGET, openAiChat, type Estimator, type RequestBody } from '#wires';

export type MessageEstimate = {
  /** The input as counted here, and all the output the request allows; none where it sets no limit. */
  readonly usage: Usage;
  /** Null where the messages point at something whose size is not known here. */
  readonly bound: TokenBound | null;
};

/** What a chat request will use, before anybody was asked. */
export async function estimateMessages(
  estimator: Estimator,
  request: Readonly<Record<string, unknown>>,
): Promise<MessageEstimate> {
  const body = toRequestBody(request);
  const { maxOutputTokens, maxInputTokens, choices } = openAiChat.readRequest(body);
  const counted = await estimator.estimate({ input: openAiChat.requestText(body), output: '', extraOutputChars: 0 });
  const output = maxOutputTokens === null ? {} : { output_text: maxOutputTokens * choices };
  const usage: Usage = { ...counted, meters: { input: counted.meters.input ?? 0, ...output } };
  const bound =
    maxInputTokens === null ? null : { inputTokens: maxInputTokens, outputTokens: maxOutputTokens, n: choices };
  return { usage, bound };
}

function toRequestBody(request: Readonly<Record<string, unknown>>): RequestBody {
  const bytes = Buffer.from(JSON.stringify(request));
  const scan = scanJsonObject(bytes);
  invariant(scan.ok, 'what was written as JSON is read as JSON');
  const members = new Map(scan.members.map((member) => [member.key, member]));
  return { bytes, members, form: null, target: NO_TARGET };
}
