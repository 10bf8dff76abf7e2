import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { launchBrowser, openPage, screenshot } from './browser.mjs';
import { startGate } from './gate.mjs';
import { startServer } from './server.mjs';

const folder = path.resolve(import.meta.dirname, '../examples/web');
const phone = { viewport: { width: 390, height: 800 }, colorScheme: 'dark' };

// The page in examples/web: its types come from the server, and Vite hands its requests on to that by way of a gate.
describe('the example page', () => {
  let server, gate, site, browser, token, origin;

  before(async () => {
    server = await startServer();
    gate = await startGate(server.origin);
    const env = { ...process.env, TRIBUTARY_URL: server.origin };
    await promisify(execFile)('npm', ['run', 'build'], { cwd: folder, env, timeout: 120_000 });
    site = await preview(gate.origin);
    origin = `http://127.0.0.1:${site.httpServer.address().port}`;
    token = (await server.run(['token', '--user', 'u1'])).trim().split('\n').at(-1);
    browser = await launchBrowser();
  });
  after(async () => {
    await Promise.allSettled([browser?.close(), site?.close(), gate?.stop(), server?.stop()]);
  });
  beforeEach(() => {
    gate.rule = async () => {};
  });

  /** Runs steps on a first visit. `signedIn` pastes the token; `breaks` says that the steps make requests fail. */
  async function visit(steps, { signedIn = true, breaks = false, ...options } = {}) {
    const { page, problems, close } = await openPage(browser, origin, { colorScheme: 'light', ...options });
    try {
      await page.locator('article').first().waitFor();
      if (signedIn) {
        await page.getByLabel('Token').fill(token);
        await page.keyboard.press('Enter');
        await page.getByRole('heading', { name: 'Your feed' }).waitFor();
        await page.locator('article').first().waitFor();
      }
      await steps(page);
      const broken = /^(failed request|answer (401|500|502)|console error: Failed to load resource)/;
      assert.deepEqual(problems.filter((problem) => !(breaks && broken.test(problem))), []);
    } finally {
      await close();
    }
  }

  /** Somebody else's client, which goes past the gate. */
  async function ask(query, variables) {
    const response = await fetch(`${server.origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()).data;
  }
  const comment = (page, body) =>
    ask('mutation ($input: AddCommentInput!) { addComment(input: $input) { userErrors { code } } }', {
      input: { postId: decodeURIComponent(new URL(page.url()).hash.split('/').at(-1)), body },
    });

  async function openPost(page) {
    await page.locator('article h2 a').first().focus();
    await page.keyboard.press('Enter');
    await page.getByText('live', { exact: true }).waitFor();
    await page.locator('article h1').waitFor();
  }

  test('shows guests what everyone writes, and nothing to write with', () =>
    visit(
      async (page) => {
        assert.equal(await page.locator('article').count(), 20);
        assert.equal(await page.getByRole('button', { name: /^Follow/ }).count(), 0);
        await screenshot(page, 'web-guest-phone');
        await page.getByRole('button', { name: 'Show more' }).click();
        await page.locator('article').nth(39).waitFor();
        await openPost(page);
        assert.equal(await page.getByLabel('Your comment').count(), 0);
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.equal(width, phone.viewport.width, 'nothing sticks out');
      },
      { signedIn: false, ...phone },
    ));

  test('tells that a token is not good', () =>
    visit(
      async (page) => {
        await page.getByLabel('Token').fill('not a token');
        await page.keyboard.press('Enter');
        await page.getByRole('alert').getByText('get a new one').waitFor();
        await page.getByRole('button', { name: 'Sign out' }).click();
        await page.locator('article').first().waitFor();
      },
      { signedIn: false, breaks: true },
    ));

  test('tells that a token cannot be one', () =>
    visit(
      async (page) => {
        const field = page.getByLabel('Token');
        await field.fill('eyJ…');
        await page.getByRole('button', { name: 'Sign in' }).click();
        assert.ok(await field.evaluate((input) => input.validity.patternMismatch && document.activeElement === input));
        assert.match(await field.getAttribute('title'), /Copy it once more/);
        assert.equal(await page.getByRole('button', { name: 'Sign out' }).count(), 0);
      },
      { signedIn: false },
    ));

  test('shows the feed, and comments as they are written', () =>
    visit(async (page) => {
      await screenshot(page, 'web-feed');
      await openPost(page);
      await comment(page, 'written elsewhere');
      await page.locator('.comments li').last().getByText('written elsewhere').waitFor();

      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByRole('alert').getByText('must not be empty').waitFor();
      await page.getByLabel('Your comment').fill('written here');
      await page.getByRole('button', { name: 'Send' }).click();
      await page.locator('.comments li').last().getByText('written here').waitFor();
      assert.equal(await page.getByLabel('Your comment').inputValue(), '');
      await comment(page, 'the end');
      await page.locator('.comments li').last().getByText('the end').waitFor();
      assert.equal(await page.getByText('written here').count(), 1, 'told by the answer and by the event');
      await screenshot(page, 'web-post');
    }));

  test('misses no comment while the connection is broken', () =>
    visit(
      async (page) => {
        const reads = [];
        await openPost(page);
        await comment(page, 'before');
        await page.getByText('before', { exact: true }).waitFor();
        page.on('request', (request) => reads.push(request.postDataJSON()));
        let mend;
        const mended = new Promise((resolve) => (mend = resolve));
        gate.rule = () => mended;
        gate.cut();
        await page.getByText('connecting…').waitFor();
        await comment(page, 'meanwhile');
        mend();
        await page.getByText('meanwhile', { exact: true }).waitFor();
        await page.getByText('live', { exact: true }).waitFor();
        assert.ok(reads.every(({ query, variables }) => query.includes('subscription') && variables.after), 'it goes on behind the cursor and reads nothing anew');
        assert.equal(await page.getByText('before', { exact: true }).count(), 1);
      },
      { breaks: true },
    ));

  // The first answer is held on its way until the stream is open; what is written between them comes by a second reading, whose answer is
  // held too until an event has told of what it lacks.
  for (const [name, before] of Object.entries({ 'an event': false, 'two events': true })) {
    test(`misses no comment when answers are slow, and ${name} came before them`, () =>
      visit(
        async (page) => {
          const say = (body) => comment(page, `${body} with ${name}`); // other tests write under the same post
          const said = (body) => page.getByText(`${body} with ${name}`, { exact: true });
          const readings = [holding(), holding()];
          const opened = promise();
          let read = 0;
          gate.rule = (body) => {
            if (body.includes('subscription CommentAdded')) return opened;
            return body.includes('query Post(') ? readings[read++]?.rule : undefined;
          };
          await page.locator('article h2 a').first().focus();
          await page.keyboard.press('Enter');
          await soon(readings[0].evaluated, 'the first reading');
          await say('between');
          const open = page.waitForResponse((response) => response.request().postData()?.includes('subscription CommentAdded'));
          opened.resolve();
          await open;
          if (before) await say('before');
          readings[0].held.resolve();

          await soon(readings[1].evaluated, 'the second reading');
          await say('raced');
          await said('raced').waitFor();
          const again = page.waitForResponse((response) => response.request().postData()?.includes('query Post('));
          readings[1].held.resolve();
          await (await again).finished();
          await said('between').waitFor();
          await say('the end');
          await said('the end').waitFor();
          const wanted = ['between', ...(before ? ['before'] : []), 'raced', 'the end'];
          const shown = await page.locator('.comments .text').allTextContents();
          assert.deepEqual(shown.slice(-wanted.length), wanted.map((body) => `${body} with ${name}`));
          assert.equal(read, 2);
        },
        { signedIn: false },
      ));
  }

  test('says of an address that names no post that there is none', () =>
    visit(
      async (page) => {
        assert.equal(await page.title(), 'Everyone');
        await page.goto(`${origin}/#/post/%E0`);
        await page.getByText('There is no such post').waitFor();
        assert.equal(await page.title(), 'No such post');
        await page.getByRole('link', { name: 'See what everyone writes' }).click();
        await openPost(page);
        assert.equal(await page.title(), await page.locator('article h1').textContent());
      },
      { signedIn: false },
    ));

  const refusals = {
    'the server refuses': [{ data: { outcome: { __typename: 'FollowPayload', user: null, userErrors: [{ __typename: 'UserError', message: 'not this one' }] } } }, 'not this one'],
    'the network fails': ['cut', 'The server cannot be reached.'],
  };
  for (const [name, [verdict, problem]] of Object.entries(refusals)) {
    test(`follows before the answer is there, and takes it back when ${name}`, () =>
      visit(
        async (page) => {
          await page.getByRole('link', { name: 'Everyone' }).click();
          const button = page.getByRole('button', { name: /^Follow / }).first();
          const label = await button.getAttribute('aria-label');
          const held = promise();
          const answered = promise();
          gate.rule = (body) => (body.includes('mutation Follow') ? (held.resolve(), answered) : undefined);
          await button.click();
          const followed = page.getByRole('button', { name: label.replace('Follow', 'Following'), exact: true }).first();
          await followed.waitFor(); // the answer is still held back
          if (verdict === 'cut') await screenshot(page, 'web-follow');
          await soon(held, 'the request');
          answered.resolve(verdict);
          await page.getByRole('alert').getByText(problem).first().waitFor();
          await page.getByRole('button', { name: label, exact: true }).first().waitFor();
          await screenshot(page, `web-follow-${verdict === 'cut' ? 'failed' : 'refused'}`);

          gate.rule = async () => {};
          await page.getByRole('button', { name: label, exact: true }).first().click();
          await followed.waitFor();
          await page.getByText(problem).first().waitFor({ state: 'detached' });
        },
        { breaks: true },
      ));
  }

  test('shows what there is while users are missing, and tries again', () =>
    visit(
      async (page) => {
        gate.rule = async (body) => (body.includes('query Everyone') ? withoutAuthors : undefined);
        await page.getByRole('link', { name: 'Everyone' }).click();
        await page.getByRole('alert').getByText('Some of this is missing').waitFor();
        assert.equal(await page.getByText('Unknown author').count(), 20);
        await screenshot(page, 'web-partial');
        gate.rule = async () => {};
        await page.getByRole('button', { name: 'Try again' }).click();
        await page.getByRole('button', { name: /^Follow/ }).first().waitFor();
        assert.equal(await page.getByText('Unknown author').count(), 0);

        gate.rule = async () => 'cut';
        await page.locator('article h2 a').first().click();
        await page.getByRole('alert').getByText('cannot be reached').waitFor();
        await screenshot(page, 'web-error');
        gate.rule = async () => {};
        await page.getByRole('button', { name: 'Try again' }).click();
        await page.locator('article h1').waitFor();
      },
      { breaks: true, ...phone },
    ));
});

/** What is built, served by Vite with the proxy of the example's own configuration. */
async function preview(target) {
  process.env.TRIBUTARY_URL = target;
  const vite = await import(pathToFileURL(createRequire(path.join(folder, 'package.json')).resolve('vite')).href);
  return vite.preview({ root: folder, logLevel: 'silent', preview: { host: '127.0.0.1', port: 0, strictPort: false } });
}

/** An answer as it is while the user service is down. */
function withoutAuthors({ data }) {
  const errors = data.list.nodes.map((post, i) => {
    post.author = null;
    return { message: 'the user service is unavailable', path: ['list', 'nodes', i, 'author'], extensions: { code: 'SERVICE_UNAVAILABLE', service: 'user' } };
  });
  return { data, errors };
}

/** A promise that is resolved from outside. */
function promise() {
  let resolve;
  return Object.assign(new Promise((r) => (resolve = r)), { resolve });
}

/** A rule of the gate under which the server's answer waits for `held`; `evaluated` says that it is there. */
function holding() {
  const evaluated = promise();
  const held = promise();
  const rule = async (answer) => {
    evaluated.resolve();
    await held;
    return answer;
  };
  return { evaluated, held, rule };
}

/** Waits for what has to come, but not for ever. */
async function soon(event, what) {
  const late = AbortSignal.timeout(30_000);
  await Promise.race([event, once(late, 'abort').then(() => assert.fail(`${what} did not come`))]);
}
