import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parse as parseJsonc } from 'jsonc-parser';
import { runBash, startWorld, type World } from '#world';
import { makeKey } from '../journeys/record.ts';
import { difference, readPage } from './page.ts';

const { blocks } = readPage('routing.md');
const codeOf = (section: string, language: string): string =>
  blocks.find((block) => block.section === section && block.language === language)?.code ?? '';

const BY_TAG = 'Routing by tag';
const ASKING = 'Asking where a call would go';

describe('docs/routing.md, with the deployments of its example', () => {
  let world: World;

  before(async () => {
    const models: Record<string, unknown> = parseJsonc(codeOf(BY_TAG, 'jsonc'));
    world = await startWorld({
      providers: [],
      config: ({ baseUrl, apiKey }) => ({
        ...models,
        providers: {
          openai: { base_url: baseUrl, api_key: apiKey },
          'azure-east': { wire: 'openai', base_url: baseUrl, api_key: apiKey },
        },
      }),
    });
  });
  after(() => world.close());

  test('the example of an explanation is answered as the page shows', async () => {
    const { key } = await makeKey(world.gateway, {});
    const command = codeOf(ASKING, 'sh').replaceAll('http://localhost:4000', world.gateway.url);
    const printed = await runBash(command, { CALL_KEY: key });
    assert.equal(difference(JSON.parse(printed), JSON.parse(codeOf(ASKING, 'json'))), null, printed);
  });
});
