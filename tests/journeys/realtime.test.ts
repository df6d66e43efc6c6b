import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { WebSocket } from 'ws';
import { startGateway, startRealtimeUpstream, until, type Gateway, type RealtimeUpstream } from '#world';
import { makeKey, recorded, type Recorded } from './record.ts';
import { putBudget, standingOf } from './rules.ts';

const WAIT_MS = 90_000;

let upstream: RealtimeUpstream;
let gateway: Gateway;

before(async () => {
  upstream = await startRealtimeUpstream();
  gateway = await startGateway({ upstream });
});

after(async () => {
  await gateway?.close();
  await upstream?.close();
});

type Heard = Readonly<Record<string, unknown>> & { readonly type: string };

type Dialogue = {
  readonly socket: WebSocket;
  next(type: string): Promise<Heard>;
  say(event: object): void;
  close(): Promise<void>;
};

/** The official client, and its events in the order they came. */
async function talk(options: { key?: string; headers?: Record<string, string> } = {}): Promise<Dialogue> {
  const client = new OpenAI({ apiKey: options.key ?? gateway.adminKey, baseURL: `${gateway.url}/v1` });
  const { headers = {} } = options;
  // The client insists on wss; there is no proxy with a certificate before the gateway of the tests.
  const createConnection = (): Socket => connect(Number(new URL(gateway.url).port), '127.0.0.1');
  const realtime = new OpenAIRealtimeWS({ model: 'gpt-realtime', options: { headers, createConnection } }, client);
  return dialogueOf(realtime.socket, realtime);
}

function dialogueOf(socket: WebSocket, realtime?: OpenAIRealtimeWS): Dialogue {
  const heard: Heard[] = [];
  socket.on('message', (data) => heard.push(JSON.parse(Buffer.isBuffer(data) ? data.toString() : '')));
  realtime?.on('error', () => undefined);
  return {
    socket,
    next: (type) =>
      until(`an event ${type}`, WAIT_MS, async () => {
        const at = heard.findIndex((event) => event.type === type);
        return at === -1 ? undefined : heard.splice(0, at + 1).at(-1);
      }),
    say: (event) => socket.send(JSON.stringify(event)),
    close: async () => {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

function entryOf(id: unknown): Recorded {
  const found = recorded(gateway.dataDir).filter(({ upstreamId }) => upstreamId === id);
  const [entry] = found;
  assert.ok(entry !== undefined && found.length === 1, `${String(id)} has ${found.length} entries`);
  return entry;
}

function responseId(event: Heard): string {
  const { response } = event as unknown as { response: { id: string } };
  return response.id;
}

test('each response is an entry of its own, on disk before the event with its usage is told', async () => {
  const { key } = await makeKey(gateway, { key_alias: 'voice' });
  const dialogue = await talk({ key, headers: { 'x-apportion-tags': 'feature:voice,stage:one' } });
  await dialogue.next('session.created');
  dialogue.say({
    type: 'session.update',
    session: { type: 'realtime', instructions: 'Be brief.', metadata: { tags: { stage: 'two' } } },
  });
  await dialogue.next('session.updated');
  dialogue.say({ type: 'response.create', response: { metadata: { tags: ['turn:1'], topic: 'weather' } } });
  const first = entryOf(responseId(await dialogue.next('response.done')));
  upstream.speak();
  const second = entryOf(responseId(await dialogue.next('response.done')));
  assert.equal(first.cost, upstream.bill().get(first.upstreamId));
  assert.equal(second.cost, upstream.bill().get(second.upstreamId));
  assert.deepEqual([first.tags['feature'], first.tags['stage'], first.tags['turn']], ['voice', 'two', '1']);
  assert.deepEqual([second.tags['feature'], second.tags['stage'], second.tags['turn']], ['voice', 'two', undefined]);
  for (const { operation, state, countsCall, reserved, cost, model, responseModel, keyId } of [first, second]) {
    assert.deepEqual([operation, state, countsCall, model], ['realtime', 'exact', true, 'gpt-realtime']);
    assert.equal(responseModel, 'gpt-realtime-2025-08-28');
    assert.equal(keyId, first.keyId);
    assert.ok(reserved !== null && cost !== null && reserved >= cost, 'nothing costs more than its bound');
  }
  const created = upstream.received().find(({ type }) => type === 'response.create');
  assert.deepEqual(created?.['response'], { metadata: { topic: 'weather' } });
  assert.deepEqual(upstream.opened().at(-1), '/v1/realtime?model=gpt-realtime');
  await dialogue.close();
});

test('what was heard is billed at the price of the model that wrote it down', async () => {
  const dialogue = await talk();
  await dialogue.next('session.created');
  const audio = { input: { transcription: { model: 'gpt-4o-mini-transcribe' } } };
  dialogue.say({ type: 'session.update', session: { type: 'realtime', audio } });
  await dialogue.next('session.updated');
  upstream.transcribe();
  const { item_id: item } = await dialogue.next('conversation.item.input_audio_transcription.completed');
  const { cost, model, operation } = entryOf(item);
  assert.deepEqual(
    [model, operation, cost],
    ['gpt-4o-mini-transcribe', 'transcription', upstream.bill().get(String(item))],
  );
  await dialogue.close();
});

test('a key in a subprotocol and tags in the query are a browser’s way', async () => {
  const address = `${gateway.url.replace('http', 'ws')}/v1/realtime?model=gpt-realtime&x-apportion-tags=feature%3Abrowser`;
  const socket = new WebSocket(address, ['realtime', `openai-insecure-api-key.${gateway.adminKey}`]);
  const dialogue = dialogueOf(socket);
  await once(socket, 'open');
  assert.equal(socket.protocol, 'realtime');
  dialogue.say({ type: 'response.create' });
  const entry = entryOf(responseId(await dialogue.next('response.done')));
  assert.equal(entry.tags['feature'], 'browser');
  assert.equal(upstream.opened().at(-1), '/v1/realtime?model=gpt-realtime');
  await dialogue.close();
});

test('a strict budget without room refuses a response in words of the dialogue, and cancels one that was not asked for', async () => {
  await putBudget(gateway, { id: 'silent', limit_usd: '0.000001', scope: { 'tags.project': 'silent' } });
  const dialogue = await talk({ headers: { 'x-apportion-tags': 'project:silent' } });
  await dialogue.next('session.created');
  const sent = upstream.received().length;
  dialogue.say({ type: 'response.create', event_id: 'mine', response: { max_output_tokens: 10 } });
  const refused = await dialogue.next('error');
  const { error } = refused as unknown as { error: { code: string; event_id: string } };
  assert.deepEqual([error.code, error.event_id], ['budget_exceeded', 'mine']);
  assert.equal(upstream.received().length, sent, 'the provider has not heard of it');
  upstream.stall();
  upstream.speak();
  await dialogue.next('error');
  const done = await dialogue.next('response.done');
  upstream.finish();
  const entry = entryOf(responseId(done));
  assert.deepEqual([entry.status, entry.cost], ['client_closed', upstream.bill().get(entry.upstreamId)]);
  await dialogue.close();
});

test('a response the provider does not take costs nothing, and holds nothing', async () => {
  await putBudget(gateway, { id: 'refusals', limit_usd: '5', scope: { 'tags.project': 'refusals' } });
  const dialogue = await talk({ headers: { 'x-apportion-tags': 'project:refusals' } });
  await dialogue.next('session.created');
  dialogue.say({ type: 'response.create', response: { unheard_of: 1 } });
  await dialogue.next('error');
  assert.deepEqual(await standingOf(gateway, 'refusals'), { spent: 0n, reserved: 0n, atRisk: 0n });
  await dialogue.close();
});

test('a caller that leaves in the middle of a response has it cancelled, and its usage recorded', async () => {
  const dialogue = await talk();
  await dialogue.next('session.created');
  upstream.stall();
  dialogue.say({ type: 'response.create' });
  const id = responseId(await dialogue.next('response.created'));
  const left = upstream.left();
  dialogue.socket.terminate();
  await left;
  upstream.finish();
  const entry = entryOf(id);
  assert.deepEqual([entry.status, entry.cost], ['client_closed', upstream.bill().get(id)]);
});

test('a provider that breaks off leaves the response in doubt, with the money at risk', async () => {
  const dialogue = await talk();
  await dialogue.next('session.created');
  upstream.stall();
  dialogue.say({ type: 'response.create', response: { max_output_tokens: 50 } });
  await dialogue.next('response.created');
  const closed = once(dialogue.socket, 'close');
  upstream.drop();
  const [code] = await closed;
  upstream.finish();
  assert.equal(code, 1011);
  const last = recorded(gateway.dataDir).at(-1);
  assert.deepEqual(
    [last?.operation, last?.state, last?.reason, last?.cost],
    ['realtime', 'in_doubt', 'answer_lost', null],
  );
  assert.ok(last?.atRisk !== undefined && last.atRisk !== null && last.atRisk > 0n);
});

test('codes and reasons of a close pass both ways', async () => {
  const first = await talk();
  await first.next('session.created');
  const ended = once(first.socket, 'close');
  upstream.drop(4001);
  const [code, reason] = await ended;
  assert.deepEqual([code, String(reason)], [4001, 'enough']);
  const second = await talk();
  await second.next('session.created');
  const left = upstream.left();
  second.socket.close(4002, 'bye');
  assert.equal(await left, 4002);
});

test('what may not be is refused before a socket is open', async () => {
  const { key } = await makeKey(gateway, { key_alias: 'text only', models: ['gpt-4o-mini'] });
  for (const [asked, status] of [
    [{ key: 'sk-ap-unknown' }, 401],
    [{ key }, 403],
  ] as const) {
    const address = `${gateway.url.replace('http', 'ws')}/v1/realtime?model=gpt-realtime`;
    const socket = new WebSocket(address, { headers: { authorization: `Bearer ${asked.key}` } });
    socket.on('error', () => undefined);
    const [, response] = await once(socket, 'unexpected-response');
    assert.equal(response.statusCode, status);
    socket.terminate();
  }
});

test('a client that offers another protocol than web sockets is answered as if it had not', async () => {
  const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAAP__' };
  const asked = get(`${gateway.url}/healthz`, { headers });
  const [answer] = await once(asked, 'response');
  assert.equal(answer.statusCode, 200);
  answer.resume();
  asked.destroy();
});

test('what is no dialogue has no socket', async () => {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/chat/completions`);
  socket.on('error', () => undefined);
  const [, response] = await once(socket, 'unexpected-response');
  assert.equal(response.statusCode, 404);
  socket.terminate();
});

test('killed in the middle of a response, the money is at risk', async () => {
  const dialogue = await talk();
  await dialogue.next('session.created');
  upstream.stall();
  dialogue.say({ type: 'response.create', response: { max_output_tokens: 50 } });
  await dialogue.next('response.created');
  await gateway.kill();
  await gateway.restart();
  upstream.finish();
  const last = recorded(gateway.dataDir).at(-1);
  assert.deepEqual([last?.operation, last?.state, last?.reason], ['realtime', 'in_doubt', 'gateway_crashed']);
  assert.ok(last?.atRisk !== undefined && last.atRisk !== null && last.atRisk > 0n);
});
