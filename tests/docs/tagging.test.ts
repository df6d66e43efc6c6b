import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse as parseJsonc } from 'jsonc-parser';
import { runBash, runPython, startWorld, withoutPython, type Gateway, type World } from '#world';
import { sendTagged } from '../journeys/attributed.ts';
import { ask, makeKey, whenStored } from '../journeys/record.ts';
import { cellOf, difference, readPage, spans, type Block, type Row } from './page.ts';
import { became, readBecomes } from './tag-words.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What stands below this heading is about a server with the settings that the page shows there. */
const WITH_SETTINGS = 'What an operator decides';

const page = readPage('tagging.md');
const settings: Record<string, unknown> = parseJsonc(
  page.blocks.find(({ language }) => language === 'jsonc')?.code ?? '',
);

/** Keys and answers pass from one block to the next, as they do for a reader. */
class Reader {
  readonly gateway: Gateway;
  readonly callKey: string;
  #newKey = '';
  #printed = '';

  constructor(gateway: Gateway, callKey: string) {
    this.gateway = gateway;
    this.callKey = callKey;
  }

  async run({ language, code }: Block): Promise<void> {
    const here = code.replaceAll('http://localhost:4000', this.gateway.url).replaceAll('sk-ap-…', this.callKey);
    switch (language) {
      case 'ts':
        await run(process.execPath, ['--input-type=module-typescript', '-e', here], { cwd: ROOT });
        return;
      case 'python':
        await runPython(here);
        return;
      case 'sh':
        await whenStored(this.gateway);
        await this.#shell(here);
        return;
      case 'json':
        assert.equal(difference(JSON.parse(this.#printed), JSON.parse(code)), null, this.#printed);
        return;
      default:
        assert.fail(`no way to run ${language}`);
    }
  }

  async #shell(command: string): Promise<void> {
    const keys = { ADMIN_KEY: this.gateway.adminKey, CALL_KEY: this.callKey, NEW_KEY: this.#newKey };
    this.#printed = await runBash(command, keys);
    const answer: unknown = JSON.parse(this.#printed);
    if (typeof answer === 'object' && answer !== null && 'key' in answer) this.#newKey = String(answer.key);
  }
}

async function readerOf(world: World): Promise<Reader> {
  const { key } = await makeKey(world.gateway, { key_alias: 'reader' });
  return new Reader(world.gateway, key);
}

const RUNNABLE = ['ts', 'python', 'sh', 'json'];

function runBlocks(blocks: readonly Block[], reader: () => Reader): void {
  for (const block of blocks.filter(({ language }) => RUNNABLE.includes(language))) {
    const skip = block.language === 'python' ? withoutPython : false;
    test(`${block.section}: the ${block.language} of line ${block.line} works`, { skip }, () => reader().run(block));
  }
}

const ASK = '"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}]';

/** The request that a row's example stands for. The body stays text, so that numbers stay as written. */
function requestOf(row: Row): { body: string; headers: Record<string, string> } {
  const [example = ''] = spans(row.cells[row.columns.indexOf('becomes') - 1] ?? row.cells[0] ?? '');
  const body = (fields: string): string => `{${ASK}${fields}}`;
  if (row.columns.includes('a string'))
    return { body: body(`,"request_tags":[${JSON.stringify(example)}]`), headers: {} };
  if (example.startsWith('"')) return { body: body(`,${example}`), headers: {} };
  const colon = example.indexOf(':');
  return { body: body(''), headers: { [example.slice(0, colon)]: example.slice(colon + 1).trim() } };
}

const examples = page.rows.filter(({ columns }) => columns.includes('becomes') || columns.includes('a string'));

test('the page has what this test looks for', () => {
  assert.ok(examples.length > 50, `${examples.length} examples`);
  assert.ok(page.blocks.length > 15, `${page.blocks.length} blocks`);
  assert.deepEqual(
    [...new Set(page.blocks.map(({ language }) => language))].toSorted(),
    [...RUNNABLE, 'abnf', 'jsonc'].toSorted(),
  );
});

describe('docs/tagging.md', () => {
  let world: World;
  let reader: Reader;

  before(async () => {
    world = await startWorld();
    reader = await readerOf(world);
  });
  after(() => world.close());

  runBlocks(
    page.blocks.filter(({ section }) => section !== WITH_SETTINGS),
    () => reader,
  );

  for (const row of examples.filter(({ section }) => section !== WITH_SETTINGS)) {
    const said = row.columns.includes('is') ? cellOf(row, 'is') : cellOf(row, 'becomes');
    test(`${row.section}: ${row.cells.slice(0, -1).join(' ')} becomes what the table says`, async () => {
      const call = await sendTagged(world.gateway, { key: reader.callKey, ...requestOf(row) });
      assert.deepEqual(became(call, readBecomes(said)), readBecomes(said));
    });
  }

  for (const row of page.rows.filter(({ columns }) => columns.includes('query'))) {
    test(`the question "${cellOf(row, 'question')}" has an answer`, async () => {
      for (const query of spans(cellOf(row, 'query')).filter((span) => !span.includes('…'))) {
        assert.ok(JSON.parse(await ask(world.gateway, query.replaceAll(' ', '%20'))));
      }
    });
  }
});

describe('docs/tagging.md, with the settings it shows', () => {
  let world: World;
  let reader: Reader;

  before(async () => {
    world = await startWorld({ config: () => settings });
    reader = await readerOf(world);
  });
  after(() => world.close());

  runBlocks(
    page.blocks.filter(({ section }) => section === WITH_SETTINGS),
    () => reader,
  );

  for (const row of examples.filter(({ section }) => section === WITH_SETTINGS)) {
    test(`${row.cells[0]} becomes what the table says`, async () => {
      // What the settings require of every call, and what they add to it.
      const { body, headers } = requestOf(row);
      const call = await sendTagged(world.gateway, {
        key: reader.callKey,
        body,
        headers: { 'x-apportion-tags': 'feature=chatbot', ...headers },
      });
      const expected = readBecomes(cellOf(row, 'becomes'));
      assert.deepEqual(became(call, expected), {
        ...expected,
        tags: { ...expected.tags, feature: 'chatbot', region: 'eu' },
      });
    });
  }

  test('an e-mail address is hashed, as the page says of those settings', async () => {
    const call = await sendTagged(world.gateway, {
      key: reader.callKey,
      body: `{${ASK},"tags":{"feature":"chatbot","contact":"jane@example.com"}}`,
    });
    assert.match(call.tags['contact'] ?? '', /^h_[0-9a-f]{16}$/);
  });
});
