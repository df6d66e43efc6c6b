import { openAiResponses, type Wire } from '#wires';

/** Of a server whose OpenAI dialect has chats and no Responses: these are put into chats. */
export function chatOnly(wire: Wire): Wire | undefined {
  return wire.name === openAiResponses.name ? undefined : wire;
}
