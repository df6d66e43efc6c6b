import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  FREE_CALLS,
  makeClients,
  NATIVE_CALLS,
  picoText,
  startUpstream,
  type BillEntry,
  type Clients,
  type Upstream,
} from './index.ts';

/** By hand, from the providers' price pages: what the calls that fix all their quantities cost. */
const COSTS: Readonly<Record<string, string>> = {
  'openai images by the piece': '0.12',
  'openai transcription by seconds': '0.0047',
  'openai speech by characters': '0.00024',
  'openai moderations': '0',
};

describe('the official clients at the scripted upstream', () => {
  let upstream: Upstream;
  let clients: Clients;

  before(async () => {
    upstream = await startUpstream();
    clients = makeClients({ url: upstream.origin, key: upstream.apiKey });
  });
  after(() => upstream.close());

  const billedFor = async (run: () => Promise<unknown>): Promise<readonly BillEntry[]> => {
    const earlier = (await upstream.bill()).entries.length;
    await run();
    return (await upstream.bill()).entries.slice(earlier);
  };

  for (const call of NATIVE_CALLS) {
    test(`${call.name}: the client reads the answer, and it is on the bill once`, async () => {
      const entries = await billedFor(() => call.run(clients));
      assert.deepEqual(
        entries.map(({ model }) => model),
        [call.model],
      );
      const cost = picoText(entries[0]?.cost ?? -1n).replace(/\.?0+$/, '');
      if (call.name in COSTS) assert.equal(cost, COSTS[call.name]);
      else assert.notEqual(cost, '0');
    });
  }

  for (const call of FREE_CALLS) {
    test(`${call.name}: the client reads the answer, and it is on no bill`, async () => {
      assert.deepEqual(await billedFor(() => call.run(clients)), []);
    });
  }
});
