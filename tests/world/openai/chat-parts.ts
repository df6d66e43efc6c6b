import { cut, type Said, type ToolCall } from '../conversation.ts';

type Place = { readonly id: string; readonly at: number };

function callId({ id, at }: Place): string {
  return `call_${id.slice(-20)}${at}`;
}

export function wholeCall({ name, args }: ToolCall, place: Place): object {
  return { id: callId(place), type: 'function', function: { name, arguments: JSON.stringify(args) } };
}

/** A call as it is streamed: its name first, then its arguments in pieces. */
export function* callPieces({ name, args }: ToolCall, place: Place): Generator<object> {
  const index = place.at;
  yield { index, id: callId(place), type: 'function', function: { name, arguments: '' } };
  for (const piece of cut(JSON.stringify(args))) yield { index, function: { arguments: piece } };
}

export function finishOf({ calls }: Said): string {
  return calls.length > 0 ? 'tool_calls' : 'stop';
}

export function likelihoodOf(token: string): object {
  const top = { token, logprob: -0.25, bytes: [...Buffer.from(token)] };
  return { ...top, top_logprobs: [top] };
}
