import { makeClients, type Clients, type Target } from './clients.ts';
import type { PlannedCall } from './load.ts';

/** `acknowledged`: the answer came whole: the JSON read and parsed, or the stream up to and including its last event. */
export type CallOutcome = {
  readonly call: PlannedCall;
  readonly acknowledged: boolean;
  /** The provider's id of the answer (`chatcmpl-…`, `resp_…`, `msg_…`); '' when no byte of the body came. */
  readonly upstreamId: string;
  readonly callId: string;
  /** From the header, or from a stream's closing comment. Exact decimal USD. */
  readonly cost: string;
  readonly costState: string;
  readonly error: string;
};

/** The ways to have text written that a load is made of. */
export type Api = 'chat' | 'responses' | 'messages' | 'generateContent';

type Heard = { upstreamId: string; callId: string; cost: string; costState: string; done: boolean };

/** Makes the call with the official client of its API. */
export async function makeCall(call: PlannedCall, target: Target): Promise<CallOutcome> {
  const heard: Heard = { upstreamId: '', callId: '', cost: '', costState: '', done: false };
  const clients = makeClients(target, async (input, init) => listen(await fetch(input, init), heard));
  const { whole, stream } = CALLERS[call.api];
  const error = await (call.stream ? stream : whole)(clients, call, heard).then(
    () => '',
    (reason: unknown) => (reason instanceof Error ? reason.message : String(reason)),
  );
  const { done, ...rest } = heard;
  return { call, acknowledged: error === '' && (done || !call.stream), ...rest, error };
}

type Make = (clients: Clients, call: PlannedCall, heard: Heard) => Promise<void>;

const chatRequest = ({ fields, model, text, maxOutputTokens }: PlannedCall) => ({
  ...fields,
  model,
  messages: [{ role: 'user' as const, content: text }],
  max_completion_tokens: maxOutputTokens,
});

const responsesRequest = ({ fields, model, text, maxOutputTokens }: PlannedCall) => ({
  ...fields,
  model,
  input: text,
  max_output_tokens: maxOutputTokens,
});

const messagesRequest = ({ fields, model, text, maxOutputTokens }: PlannedCall) => ({
  ...fields,
  model,
  messages: [{ role: 'user' as const, content: text }],
  max_tokens: maxOutputTokens,
});

/** Google's client sends what it does not know only as an extra body. */
const generateRequest = ({ fields, model, text, maxOutputTokens }: PlannedCall) => ({
  model,
  contents: text,
  config: { maxOutputTokens, httpOptions: { extraBody: fields } },
});

const CALLERS: Readonly<Record<Api, { readonly whole: Make; readonly stream: Make }>> = {
  chat: {
    whole: async ({ openai }, call, heard) => {
      heard.upstreamId = (await openai.chat.completions.create(chatRequest(call))).id;
    },
    stream: async ({ openai }, call, heard) => {
      const asked = call.askUsage ? { stream_options: { include_usage: true } } : {};
      const stream = await openai.chat.completions.create({ ...chatRequest(call), stream: true, ...asked });
      for await (const chunk of stream) heard.upstreamId = chunk.id;
    },
  },
  responses: {
    whole: async ({ openai }, call, heard) => {
      heard.upstreamId = (await openai.responses.create(responsesRequest(call))).id;
    },
    stream: async ({ openai }, call, heard) => {
      heard.upstreamId = (await openai.responses.stream(responsesRequest(call)).finalResponse()).id;
    },
  },
  messages: {
    whole: async ({ anthropic }, call, heard) => {
      heard.upstreamId = (await anthropic.messages.create(messagesRequest(call))).id;
    },
    stream: async ({ anthropic }, call, heard) => {
      heard.upstreamId = (await anthropic.messages.stream(messagesRequest(call)).finalMessage()).id;
    },
  },
  generateContent: {
    whole: async ({ gemini }, call, heard) => {
      heard.upstreamId = (await gemini.models.generateContent(generateRequest(call))).responseId ?? '';
    },
    stream: async ({ gemini }, call, heard) => {
      for await (const chunk of await gemini.models.generateContentStream(generateRequest(call))) {
        heard.upstreamId = chunk.responseId ?? '';
      }
    },
  },
};

const COST_COMMENT = /^: apportion-cost (\S+) (\S+)$/m;
const LAST_EVENT = /^data: \[DONE\]$|^event: response\.completed$|^event: message_stop$|"finishReason":"STOP"/m;

/** The clients hide the headers, the comments and whether the last event came, so they are read beside them. */
function listen(response: Response, heard: Heard): Response {
  heard.callId = response.headers.get('x-apportion-call-id') ?? '';
  heard.cost = response.headers.get('x-apportion-cost') ?? '';
  heard.costState = response.headers.get('x-apportion-cost-state') ?? '';
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (response.body === null || !isStream) return response;
  const decoder = new TextDecoder();
  let text = '';
  const ear = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      text += decoder.decode(chunk, { stream: true });
      const comment = COST_COMMENT.exec(text);
      if (comment !== null) [, heard.cost = '', heard.costState = ''] = comment;
      heard.done ||= LAST_EVENT.test(text);
      text = text.slice(-1_000);
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(ear), { status: response.status, headers: response.headers });
}
