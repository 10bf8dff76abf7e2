import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { launchBrowser, openPage, screenshot } from './browser.mjs';
import { startServer } from './server.mjs';

describe('playground', () => {
  let server;
  let browser;

  before(async () => {
    server = await startServer();
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** Runs steps on a fresh first visit and fails on anything the watch has gathered meanwhile. */
  async function visit(steps, options) {
    const { page, problems, close } = await openPage(browser, server.origin, options);
    try {
      await page.getByRole('tab', { name: 'Timeline' }).waitFor();
      await steps(page);
      assert.deepEqual(problems, []);
    } finally {
      await close();
    }
  }

  test('opens with the example queries in tabs', () =>
    visit(async (page) => {
      assert.equal(await page.title(), 'Tributary');
      assert.deepEqual(await page.locator('.graphiql-tab-button').allTextContents(), ['Timeline', 'Profile', 'Activity', 'CreatePost']);
      await screenshot(page, 'first-visit');
    }));

  test('offers the versions of the schema, and asks the chosen one', () =>
    visit(async (page) => {
      const choice = page.getByRole('combobox', { name: 'Version of the schema' });
      assert.deepEqual(await choice.locator('option').allTextContents(), ['version 1', 'version 2']);
      assert.equal(await choice.inputValue(), '1');
      const asked = page.waitForRequest((request) => request.url().endsWith('/v2/graphql'));
      await choice.selectOption('2');
      await asked;
      await page.waitForURL('**/?version=2');
      assert.equal(await page.getByRole('combobox', { name: 'Version of the schema' }).inputValue(), '2');
      await page.getByRole('tab', { name: 'Timeline' }).click();
      await page.getByRole('button', { name: 'Execute query' }).click();
      assert.ok((await answer(page)).data.posts.nodes.length > 0);
      await screenshot(page, 'version');
    }));

  test('runs the first example by keyboard and shows its data', () =>
    visit(async (page) => {
      await editor(page).click();
      await page.keyboard.press('Control+Enter');
      const result = await answer(page);
      assert.ok(result.data.posts.nodes.length > 0);
      assert.ok(result.data.posts.nodes[0].title);
      await screenshot(page, 'timeline');
    }));

  for (const name of ['Timeline', 'Profile', 'Activity']) {
    test(`the example ${name} runs as it stands`, () =>
      visit(async (page) => {
        await openTab(page, name);
        await page.getByRole('button', { name: 'Execute query' }).click();
        const result = await answer(page);
        assert.equal(result.errors, undefined);
        assert.ok(Object.values(result.data)[0].nodes.length > 0);
        await screenshot(page, `example-${name.toLowerCase()}`);
      }));
  }

  test('the example CreatePost runs with a token, as its comment says', () =>
    visit(async (page) => {
      await openTab(page, 'CreatePost');
      const hint = await editor(page).evaluate((e) => e.CodeMirror.getValue());
      const [, command] = hint.match(/^# +tributary (.+)$/m);
      const [, headers] = hint.match(/^# +(\{.*\})$/m);
      const token = (await server.run(command.split(' '))).trim().split('\n').at(-1);
      await fillHeaders(page, headers.replace('TOKEN', token));
      await page.getByRole('button', { name: 'Execute query' }).click();
      const result = await answer(page);
      assert.equal(result.errors, undefined);
      assert.deepEqual(result.data.createPost.userErrors, []);
      assert.ok(result.data.createPost.post.author.handle, 'the user of the hint exists');
      await screenshot(page, 'create-post');
    }));

  test('sends the headers pane and stores it only when told to', () =>
    visit(async (page) => {
      const run = async (secret) => {
        await fillHeaders(page, JSON.stringify({ 'X-Example': secret }));
        const sent = page.waitForRequest((request) => request.headers()['x-example'] === secret);
        await page.getByRole('button', { name: 'Execute query' }).click();
        await sent;
        await answer(page);
      };
      const persistHeaders = async (choice) => {
        await page.getByRole('button', { name: 'Open settings dialog' }).click();
        await page.getByRole('button', { name: choice, exact: true }).click();
        await page.keyboard.press('Escape');
        await settle(page);
      };
      const runsStored = (count) =>
        page.waitForFunction((n) => JSON.parse(localStorage['tributary:graphiql:queries'] ?? '{"queries":[]}').queries.length === n, count);

      await run('first secret');
      await runsStored(1);
      await persistHeaders('On');
      await run('second secret');
      await runsStored(2);
      assert.match(await stored(page), /second secret/);
      await settle(page);
      await persistHeaders('Off');
      assert.doesNotMatch(await stored(page), /secret/);
    }));

  test('never stores headers unasked, under names of its own', () =>
    visit(async (page) => {
      await fillHeaders(page, '{"X-Example": "a secret"}');
      await page.getByRole('button', { name: 'Execute query' }).click();
      await answer(page);
      await settle(page);
      assert.match(await stored(page), /graphiql:queries.*graphiql:tabState|graphiql:tabState.*graphiql:queries/);
      assert.doesNotMatch(await stored(page), /secret/);
      for (const name of Object.keys(JSON.parse(await stored(page)))) assert.match(name, /^tributary:/);
    }));

  test('documents the schema', () =>
    visit(async (page) => {
      await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
      const docs = page.locator('.graphiql-plugin');
      await docs.getByRole('link', { name: 'Query', exact: true }).click();
      await docs.getByRole('link', { name: 'posts', exact: true }).waitFor();
      await screenshot(page, 'docs');
      await docs.getByRole('link', { name: 'posts', exact: true }).click();
      await docs.getByRole('link', { name: 'PostConnection' }).waitFor();
      await docs.getByRole('link', { name: 'PostConnection' }).click();
      await page.keyboard.press('Control+k');
      await page.keyboard.type('commentCo', { delay: 20 });
      await docs.getByRole('option').filter({ hasText: 'commentCount' }).waitFor();
      await screenshot(page, 'docs-search');
    }));

  test('builds a query in the explorer', () =>
    visit(async (page) => {
      await page.getByRole('button', { name: 'Show GraphiQL Explorer' }).click();
      await page.locator('.graphiql-plugin').getByText('totalCount', { exact: true }).first().click();
      await page.waitForFunction(() => document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.getValue().includes('totalCount'));
      await screenshot(page, 'explorer');
    }));

  test('keeps a history and the tabs over a reload', () =>
    visit(async (page) => {
      await page.getByRole('button', { name: 'Execute query' }).click();
      await answer(page);
      await page.getByRole('button', { name: 'Show History' }).click();
      await page.locator('.graphiql-history-item').getByText('Timeline').waitFor();
      await screenshot(page, 'history');
      await page.getByRole('button', { name: 'New tab' }).click();
      await page.getByRole('tab').nth(4).waitFor();
      await page.waitForFunction(() => JSON.parse(localStorage.getItem('tributary:graphiql:tabState') ?? '{"tabs":[]}').tabs.length === 5);
      await page.reload();
      await page.getByRole('tab').nth(4).waitFor();
    }));

  test('completes and explains what is typed', () =>
    visit(async (page) => {
      await page.getByRole('button', { name: 'New tab' }).click();
      await editor(page).click();
      await page.keyboard.type('{ us', { delay: 20 });
      await page.locator('.CodeMirror-hints').getByText('users').waitFor();
      await screenshot(page, 'completion');
      await page.keyboard.press('Escape');
      await page.keyboard.type('elessField');
      const mistake = page.locator('.cm-invalidchar, .CodeMirror-lint-mark-error').first();
      await mistake.hover();
      await page.locator('.CodeMirror-lint-tooltip').getByText('uselessField').waitFor();
      await screenshot(page, 'mistake');
    }));

  test('opens its dialogs', () =>
    visit(async (page) => {
      await page.getByRole('button', { name: 'Open settings dialog' }).click();
      await page.getByRole('dialog').waitFor();
      await screenshot(page, 'settings');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Open short keys dialog' }).click();
      await page.getByRole('dialog').waitFor();
      await screenshot(page, 'short-keys');
    }));

  for (const colorScheme of ['light', 'dark']) {
    test(`follows a ${colorScheme} system`, () =>
      visit(
        async (page) => {
          await page.getByRole('button', { name: 'Execute query' }).click();
          await answer(page);
          await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
          const background = await page.locator('.graphiql-container').evaluate((e) => getComputedStyle(e).backgroundColor);
          const brightness = background.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3;
          assert.equal(brightness > 128 ? 'light' : 'dark', colorScheme, background);
          await screenshot(page, colorScheme);
        },
        { colorScheme },
      ));
  }

  test('cannot reach another origin or apply inline styles', async () => {
    const { page, problems, close } = await openPage(browser, server.origin);
    try {
      await page.evaluate(() => {
        const style = document.createElement('style');
        style.textContent = 'body { color: red }';
        document.head.append(style);
        const image = document.createElement('img');
        image.src = 'http://127.0.0.1:1/image.png';
        document.body.append(image);
        new WebSocket('ws://127.0.0.1:1/socket');
        return fetch('http://127.0.0.1:1/data').catch(() => {});
      });
      const violated = (directive) => problems.some((text) => text.startsWith(`policy violation: ${directive} `));
      for (const directive of ['style-src-elem', 'img-src', 'connect-src']) {
        await poll(() => violated(directive), `${directive} blocks nothing, or the watch sees nothing: ${problems}`);
      }
      assert.ok(problems.includes('foreign request: http://127.0.0.1:1/image.png'), problems.join('\n'));
    } finally {
      await close();
    }
  });
});

function editor(page) {
  return page.locator('.graphiql-query-editor .CodeMirror');
}

/** Everything the page keeps in the browser, as JSON. */
function stored(page) {
  return page.evaluate(() => JSON.stringify({ ...localStorage }));
}

async function fillHeaders(page, json) {
  await page.locator('.graphiql-editor-tool .graphiql-editor:not(.hidden) .CodeMirror').click();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(json);
  await settle(page);
}

/** Lets GraphiQL take note of what was done: it does so 100 ms late and stores its tabs another 500 ms later. */
async function settle(page) {
  await page.waitForTimeout(1_000);
}

/** Opens an example's tab and waits until the editor has parsed it, as a person's hand would take at least as long. */
async function openTab(page, name) {
  await page.getByRole('tab', { name }).click();
  await page.waitForFunction((want) => document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.operationName === want, name);
}

/** The result pane's JSON, once there is one. */
async function answer(page) {
  const handle = await page.waitForFunction(() => {
    const pane = document.querySelector('.result-window.CodeMirror, .result-window .CodeMirror');
    const text = pane?.CodeMirror?.getValue();
    try {
      return text ? JSON.parse(text) : false;
    } catch {
      return false;
    }
  });
  return handle.jsonValue();
}

async function poll(condition, complaint) {
  for (const deadline = Date.now() + 5_000; !condition(); ) {
    if (Date.now() > deadline) assert.fail(complaint);
    await setTimeout(20);
  }
}
