import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import {
  behaviourText,
  localCertificate,
  startGateway,
  startTokenEndpoint,
  startUpstream,
  VERTEX_PROJECT,
} from '#world';
import type { Gateway, TokenEndpoint, Upstream } from '#world';
import { failing, written } from './recording.ts';

const EMAIL = 'gateway@a-project.iam.gserviceaccount.com';
const KEY_VARIABLE = 'VERTEX_KEY_OF_THE_TESTS';
const SONNET = 'claude-sonnet-4-5@20250929';
const HAIKU = 'claude-haiku-4-5@20251001';

/** Two key files of service accounts: one the issuer knows, and one it does not. */
async function writeKeyFiles(folder: string): Promise<{ known: string; stranger: string; publicKey: string }> {
  const make = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
  const write = async (name: string, key: ReturnType<typeof make>): Promise<string> => {
    const file = join(folder, name);
    const private_key = key.privateKey.export({ type: 'pkcs8', format: 'pem' });
    const content = {
      type: 'service_account',
      project_id: VERTEX_PROJECT,
      private_key_id: 'k',
      private_key,
      client_email: EMAIL,
    };
    await writeFile(
      file,
      JSON.stringify({ ...content, client_id: '1', token_uri: 'https://oauth2.googleapis.com/token' }),
    );
    return file;
  };
  const [known, stranger] = [make(), make()];
  return {
    known: await write('known.json', known),
    stranger: await write('stranger.json', stranger),
    publicKey: known.publicKey.export({ type: 'spki', format: 'pem' }),
  };
}

describe('Google Vertex AI', () => {
  let folder: string;
  let issuer: TokenEndpoint;
  let upstream: Upstream;
  let gateway: Gateway;
  let gemini: GoogleGenAI;
  let anthropic: Anthropic;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'apportion-vertex-'));
    const { known, stranger, publicKey } = await writeKeyFiles(folder);
    issuer = await startTokenEndpoint({ account: { email: EMAIL, publicKey } }, { tls: true });
    upstream = await startUpstream({ tokens: issuer.tokens });
    const vertex = { preset: 'vertex', base_url: upstream.origin, project: VERTEX_PROJECT };
    gateway = await startGateway({
      env: {
        [KEY_VARIABLE]: upstream.apiKey,
        NODE_EXTRA_CA_CERTS: localCertificate().file,
        HTTPS_PROXY: issuer.proxyUrl,
        GOOGLE_APPLICATION_CREDENTIALS: known,
        GOOGLE_CLOUD_PROJECT: VERTEX_PROJECT,
      },
      config: {
        providers: {
          global: { ...vertex, sign_in: { file: known } },
          belgium: { ...vertex, region: 'europe-west1', sign_in: { file: known } },
          states: { preset: 'vertex', base_url: upstream.origin, region: 'us' },
          mars: { ...vertex, region: 'mars-north1', sign_in: { file: known } },
          keyed: { ...vertex, api_key_env: KEY_VARIABLE },
          stranger: { ...vertex, sign_in: { file: stranger } },
        },
        // Google's client writes what has a slash as it stands, without `models/` before it.
        models: {
          'global-flash': 'global/gemini-2.5-flash',
          'belgium-flash': 'belgium/gemini-2.5-flash',
          'keyed-flash': 'keyed/gemini-2.5-flash',
          'stranger-flash': 'stranger/gemini-2.5-flash',
        },
      },
    });
    gemini = new GoogleGenAI({ apiKey: gateway.adminKey, httpOptions: { baseUrl: gateway.url } });
    anthropic = new Anthropic({ apiKey: gateway.adminKey, baseURL: gateway.url, maxRetries: 0 });
  });
  after(async () => {
    await gateway.close();
    await Promise.all([upstream.close(), issuer.close()]);
    await rm(folder, { recursive: true, force: true });
  });

  const lastBilled = async () => (await upstream.bill()).entries.at(-1);
  const exactly = async (entries: Awaited<ReturnType<typeof written>>['entries']): Promise<void> => {
    const billed = await lastBilled();
    assert.deepEqual(
      entries.map(({ cost, state, upstreamId }) => [cost, state, upstreamId]),
      [[billed?.cost, 'exact', billed?.id]],
    );
  };

  for (const provider of ['global', 'belgium', 'keyed']) {
    test(`${provider}: Google's own client generates, streamed or not, and counts for nothing`, async () => {
      const model = `${provider}-flash`;
      const whole = await written(gateway, () => gemini.models.generateContent({ model, contents: 'seed=3' }));
      assert.ok(whole.answer.text);
      await exactly(whole.entries);
      const streamed = await written(gateway, async () => {
        let text = '';
        for await (const part of await gemini.models.generateContentStream({ model, contents: 'seed=4' }))
          text += part.text ?? '';
        return text;
      });
      assert.notEqual(streamed.answer, '');
      await exactly(streamed.entries);
      const counted = await written(gateway, () => gemini.models.countTokens({ model, contents: 'seed=5' }));
      assert.ok((counted.answer.totalTokens ?? 0) > 0);
      assert.deepEqual(
        counted.entries.map(({ cost }) => cost),
        [0n],
      );
    });

    test(`${provider}: Anthropic's own client speaks to Claude, streamed or not, and counts for nothing`, async () => {
      const request = {
        model: `${provider}/${HAIKU}`,
        max_tokens: 300,
        messages: [{ role: 'user' as const, content: 'seed=6' }],
      };
      const whole = await written(gateway, () => anthropic.messages.create(request));
      assert.equal(whole.answer.stop_reason, 'end_turn');
      await exactly(whole.entries);
      assert.notEqual(whole.entries[0]?.reserved, null);
      const streamed = await written(gateway, () => anthropic.messages.stream(request).finalMessage());
      assert.equal(streamed.answer.stop_reason, 'end_turn');
      await exactly(streamed.entries);
      const { max_tokens: _most, ...question } = request;
      const counted = await written(gateway, () => anthropic.messages.countTokens(question));
      assert.ok(counted.answer.input_tokens > 0);
      assert.deepEqual(
        counted.entries.map(({ cost }) => cost),
        [0n],
      );
    });
  }

  test('a client for a project and a location of Google’s finds the same models here', async () => {
    const path = `/v1/projects/x/locations/y/publishers/google/models/${encodeURIComponent('global/gemini-2.5-flash')}`;
    const { answer, entries } = await written(gateway, () =>
      fetch(`${gateway.url}${path}:generateContent`, {
        method: 'POST',
        headers: { authorization: `Bearer ${gateway.adminKey}` },
        body: JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'seed=7' }] }] }),
      }).then((given) => given.status),
    );
    assert.equal(answer, 200);
    await exactly(entries);
  });

  test('A23: a region, and a multi-region, is a tenth dearer for Claude than the global endpoint', async () => {
    const content = behaviourText({ seed: 8, prompt_tokens: 1_000, completion_tokens: 200 });
    const cost = async (provider: string): Promise<bigint> => {
      const { entries } = await written(gateway, () =>
        anthropic.messages.create({
          model: `${provider}/${SONNET}`,
          max_tokens: 300,
          messages: [{ role: 'user', content }],
        }),
      );
      await exactly(entries);
      return entries[0]?.cost ?? -1n;
    };
    const global = await cost('global');
    for (const provider of ['belgium', 'states']) assert.equal((await cost(provider)) * 10n, global * 11n);
  });

  test('a region without a price leaves the call unpriced', async () => {
    const { entries } = await written(gateway, () =>
      anthropic.messages.create({
        model: `mars/${SONNET}`,
        max_tokens: 300,
        messages: [{ role: 'user', content: 'seed=9' }],
      }),
    );
    assert.deepEqual(
      entries.map(({ cost, state }) => [cost, state]),
      [[null, 'unpriced']],
    );
  });

  test('a key that the issuer does not know signs nothing in: a clear error, nothing sent', async () => {
    const sent = (await upstream.received()).length;
    const { answer, entries } = await written(gateway, () =>
      failing(() => gemini.models.generateContent({ model: 'stranger-flash', contents: 'hello' })),
    );
    assert.match(String(answer), /could not sign in to the provider stranger/);
    assert.equal((await upstream.received()).length, sent);
    // The log says why, without the statement that was signed.
    assert.match(gateway.output(), /could not sign in/);
    assert.doesNotMatch(gateway.output(), /eyJ[\w-]+\.eyJ|PRIVATE KEY/);
    // A route tries again; each try is on record.
    assert.deepEqual(
      new Set(entries.map(({ cost, errorCode }) => `${cost} ${errorCode}`)),
      new Set(['0 sign_in_failed']),
    );
  });

  test('each provider asks for one token, however many calls it makes', () => {
    const grants = issuer.asked.filter((grant) => grant.has('assertion'));
    // Four that know the key, and one attempt or more of the stranger's.
    assert.equal(issuer.tokens.size, 4);
    assert.ok(grants.length >= 5);
  });
});
