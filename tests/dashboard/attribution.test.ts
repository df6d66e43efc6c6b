import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import OpenAI from 'openai';
import type { Browser, Page } from 'playwright-core';
import { addUsd, formatUsd, parseUsd, sumUsd, type PicoUsd } from '#terms';
import { startGateway, until, type Gateway } from '#world';
import {
  keyFigure,
  launchBrowser,
  NO_BROWSER,
  openPage,
  signIn,
  type OpenedPage,
  type PageOptions,
} from './browser.ts';

const HTML = '<img src=x onerror=alert(1)>';
const FORMULA = '=cmd()';

const VISIBLE_MS = 10_000;

type Sent = { readonly name: string; readonly cost: PicoUsd };

/** Tags and sessions as a real gateway answers them, after calls made with the real SDK. */
describe('tags and sessions', { skip: NO_BROWSER }, () => {
  let browser: Browser;
  let gateway: Gateway;
  const sent: Sent[] = [];

  before(async () => {
    [browser, gateway] = await Promise.all([launchBrowser(), startGateway()]);
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: gateway.adminKey, maxRetries: 0 });
    const call = async (name: string, fields: Readonly<Record<string, unknown>>): Promise<void> => {
      const body = { model: 'sandbox-mini', messages: [{ role: 'user' as const, content: name }], ...fields };
      const { response } = await client.chat.completions.create(body).withResponse();
      sent.push({ name, cost: amount(response.headers.get('x-apportion-cost')) });
    };
    const chat = { session_id: 'chat-7', entity_type: 'customer', entity_id: 'acme', tags: { feature: 'chatbot' } };
    for (const turn of ['one', 'two', 'three']) await call(`chat ${turn}`, chat);
    const run = { session_id: 'runs/1', tags: { feature: 'agent', team: 'eng/search' } };
    await call('run plan', { ...run, session_path: 'plan' });
    await call('run web', { ...run, session_path: 'research/web' });
    await call('run files', { ...run, session_path: 'research/files' });
    await call('run end', run);
    await call('evil value', { tags: { note: HTML, feature: 'chatbot' }, session_id: HTML });
    await call('evil formula', {
      tags: { note: FORMULA, Feature: 'chatbot' },
      request_tags: [HTML, FORMULA, 'US/New York'],
    });
    await call('untagged', {});
    await until('the calls to show up', VISIBLE_MS, async () =>
      (await eventsIn(gateway)) === sent.length ? true : undefined,
    );
  });

  after(async () => {
    await browser.close();
    await gateway.close();
  });

  const costOf = (prefix: string): PicoUsd =>
    sumUsd(sent.filter(({ name }) => name.startsWith(prefix)).map(({ cost }) => cost));

  async function open(path: string, options: PageOptions = {}): Promise<OpenedPage> {
    const opened = await openPage(browser, options);
    // An alert that a tag's value managed to raise would otherwise be dismissed unseen.
    opened.page.on('dialog', (dialog) => {
      void dialog.dismiss();
      assert.fail(`the page raised an alert: ${dialog.message()}`);
    });
    await signIn(opened.page, gateway, path);
    return opened;
  }

  test('the list of sessions says what a conversation costs and how many turns it takes', async () => {
    const { page, complaints, close } = await open('/ui/sessions');
    await page.getByRole('link', { name: 'chat-7' }).waitFor();
    const inSessions = addUsd(addUsd(costOf('chat'), costOf('run')), costOf('evil value'));
    assert.equal(await exactFigure(page, 'Spend in sessions'), `$${formatUsd(inSessions)}`);
    assert.equal(await keyFigure(page, 'Sessions'), '3');
    assert.equal(await keyFigure(page, 'Turns per session'), '2.67');
    assert.equal(await exactFigure(page, 'Dearest session'), `$${formatUsd(costOf('run'))}`);
    const names = page.getByRole('table', { name: 'Sessions' }).getByRole('link');
    assert.deepEqual(await names.allInnerTexts(), ['runs/1', 'chat-7', HTML]);
    await page.getByRole('button', { name: 'Last call' }).click();
    await page.waitForURL(`${gateway.url}/ui/sessions?rank=recent`);
    await names.first().getByText(HTML).waitFor();
    assert.deepEqual(await names.allInnerTexts(), [HTML, 'runs/1', 'chat-7']);
    await page.getByLabel('Add a filter by tag').fill('customer:acme');
    await page.keyboard.press('Enter');
    await page.getByText('1 session', { exact: true }).waitFor();
    assert.deepEqual(complaints, []);
    await close();
  });

  test('a run is a tree whose steps sum to its cost, and a call opens in its drawer', async () => {
    const { page, complaints, close } = await open('/ui/sessions');
    await page.getByRole('link', { name: 'runs/1' }).click();
    await page.waitForURL(`${gateway.url}/ui/sessions/runs%2F1`);
    await page.getByRole('heading', { name: 'runs/1' }).waitFor();
    const table = page.getByRole('table', { name: /each step and each call/ });
    assert.equal(await exactFigure(page, 'Cost'), `$${formatUsd(costOf('run'))}`);
    assert.deepEqual(await table.getByRole('rowheader').allInnerTexts(), [
      'plan\n1 call',
      'research\n2 calls',
      'web\n1 call',
      'files\n1 call',
    ]);
    const research = table
      .getByRole('row')
      .filter({ has: page.getByRole('button', { name: 'What is in the step research' }) });
    const cost = await research.first().locator('td').last().locator('[title^="$"]').getAttribute('title');
    assert.equal(cost, `$${formatUsd(addUsd(costOf('run web'), costOf('run files')))}`);
    assert.equal(await table.getByRole('row').count(), 9);
    await page.getByRole('button', { name: 'What is in the step research', exact: true }).press('Enter');
    assert.equal(await table.getByRole('row').count(), 5);
    await page.getByRole('button', { name: 'Open call 4' }).click();
    const drawer = page.getByRole('dialog', { name: 'Request' });
    await drawer.getByRole('link', { name: 'runs/1' }).waitFor();
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
    assert.deepEqual(complaints, []);
    await close();
  });

  test('the registry shows what each key covers, and a key its values with what it leaves out', async () => {
    const { page, complaints, close } = await open('/ui/tags');
    const feature = page.getByRole('table', { name: 'Tag keys' }).getByRole('link', { name: 'feature', exact: true });
    await feature.click();
    await page.waitForURL(`${gateway.url}/ui/tags/feature`);
    const table = page.getByRole('table', { name: 'Values of feature' });
    await table.waitFor();
    assert.deepEqual(await table.getByRole('link').allInnerTexts(), ['chatbot', 'agent', '(untagged)']);
    const costs = await table
      .locator('tbody td:last-child')
      .evaluateAll((cells) => cells.map((cell) => cell.getAttribute('title')));
    const whole = sumUsd(sent.map(({ cost }) => cost));
    assert.equal(formatUsd(sumUsd(costs.map((cost) => amount(cost?.slice(1) ?? null)))), formatUsd(whole));
    await table.getByRole('link', { name: '(untagged)' }).click();
    await page.waitForURL(`${gateway.url}/ui/requests?tags=feature:(untagged)`);
    await page.getByText('2 requests matched').waitFor();
    await page.getByRole('button', { name: 'Remove filter: request_tags contains feature:(untagged)' }).waitFor();
    assert.deepEqual(complaints, []);
    await close();
  });

  test('what a key means and whose it is can be written down and emptied again', async () => {
    const { page, complaints, close } = await open('/ui/tags/team');
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Description').fill(`Who pays. ${HTML}`);
    await page.getByLabel('Owner').fill('finance');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Edit' }).waitFor();
    await page.getByText(`Who pays. ${HTML}`).waitFor();
    await page.getByRole('link', { name: 'Tags', exact: true }).last().click();
    const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: 'team', exact: true }) });
    await row.getByText('finance').waitFor();
    await row.getByRole('link', { name: 'team', exact: true }).click();
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Owner').fill('');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('nobody', { exact: true }).waitFor();
    assert.deepEqual(complaints, []);
    await close();
  });

  test('findings lead to the calls they are about', async () => {
    const { page, complaints, close } = await open('/ui/tags');
    const findings = page.getByRole('region', { name: 'Findings' });
    await findings.getByText('Keys that differ only in case').waitFor();
    await findings.getByText('Most calls say feature.').waitFor();
    const senders = page.getByRole('table', { name: 'Keys that send calls without any tag' });
    await senders.getByRole('row', { name: /admin key/ }).waitFor();
    await findings.getByRole('link', { name: /^Feature/ }).click();
    await page.waitForURL(`${gateway.url}/ui/tags/Feature`);
    assert.deepEqual(complaints, []);
    await close();
  });

  test('accident F10: markup and formulas in tags are text wherever they are shown', async () => {
    const { page, complaints, close } = await open('/ui/tags/note');
    const links = page.getByRole('table', { name: 'Values of note' }).getByRole('link');
    await links.first().waitFor();
    assert.deepEqual((await links.allInnerTexts()).toSorted(), ['(untagged)', HTML, FORMULA]);
    await page.getByRole('link', { name: HTML }).click();
    await page.getByText('1 request matched').waitFor();
    await page.getByRole('listitem').getByText(`note:${HTML}`).waitFor();
    await page.getByRole('button', { name: /^Open the request of/ }).click();
    await page.getByRole('dialog').getByText(HTML).first().waitFor();
    for (const path of [
      '/ui/tags',
      '/ui/overview?by=tags.note',
      '/ui/overview?by=path',
      '/ui/sessions',
      '/ui/requests',
    ]) {
      await page.goto(gateway.url + path);
      await page.getByText(HTML).filter({ visible: true }).first().waitFor();
      assert.equal(await page.locator('img').count(), 0, path);
    }
    await page.goto(`${gateway.url}/ui/sessions/${encodeURIComponent(HTML)}`);
    await page.getByRole('heading', { name: HTML }).waitFor();
    await page.goto(`${gateway.url}/ui/overview?by=tags.note`);
    await page.getByRole('button', { name: `Filter by ${FORMULA}` }).click();
    await page.waitForURL(/tags=note:/);
    await page.getByText('1 filter', { exact: true }).waitFor();
    await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
    assert.equal(await exactFigure(page, 'Spend'), `$${formatUsd(costOf('evil formula'))}`);
    assert.deepEqual(complaints, []);
    await close();
  });

  test('values that are paths are shown as a tree on request', async () => {
    const { page, complaints, close } = await open('/ui/overview?by=tags.team');
    await page.getByRole('button', { name: 'Show as tree' }).click();
    await page.getByRole('button', { name: 'What is below eng' }).click();
    await page.getByRole('button', { name: 'Filter by eng/search' }).waitFor();
    await page.getByRole('button', { name: 'Show as list' }).click();
    await page.waitForURL(`${gateway.url}/ui/overview?by=tags.team`);
    assert.deepEqual(complaints, []);
    await close();
  });

  test('an unknown session or key is said so', async () => {
    const { page, close } = await open('/ui/sessions/nowhere');
    await page.getByRole('alert').getByText('There is no session "nowhere".').waitFor();
    await page.goto(`${gateway.url}/ui/tags/nowhere`);
    await page.getByRole('alert').getByText('No call of the period carries "nowhere".').waitFor();
    await close();
  });

  test('no page is wider than a small screen', async () => {
    const { page, close } = await open('/ui/tags', { width: 390, height: 844, dark: 'dark' });
    for (const path of ['/ui/tags', '/ui/tags/note', '/ui/sessions', '/ui/sessions/runs%2F1']) {
      await page.goto(gateway.url + path);
      await page.getByRole('table').first().waitFor();
      assert.equal(
        await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
        0,
        path,
      );
    }
    await close();
  });
});

function amount(text: string | null): PicoUsd {
  const parsed = parseUsd(text ?? '');
  if (parsed === undefined) throw new TypeError(`"${text}" is no amount of money`);
  return parsed;
}

/** All digits of a figure, which stand in its title. */
async function exactFigure(page: Page, name: string): Promise<string | null> {
  const figure = page.locator('dl > div').filter({ has: page.locator('dt', { hasText: new RegExp(`^${name}`) }) });
  return figure.locator('dd > span').first().getAttribute('title');
}

async function eventsIn(gateway: Gateway): Promise<number> {
  const response = await fetch(`${gateway.url}/v1/events?limit=1`, {
    headers: { authorization: `Bearer ${gateway.adminKey}` },
  });
  const body: unknown = await response.json();
  return typeof body === 'object' && body !== null && 'pagination' in body ? totalOf(body.pagination) : -1;
}

function totalOf(pagination: unknown): number {
  return typeof pagination === 'object' && pagination !== null && 'total' in pagination ? Number(pagination.total) : -1;
}
