import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const ARTIFACTS = path.join(path.dirname(fileURLToPath(import.meta.url)), 'artifacts');
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** Chromium of the system, or the one CHROMIUM names. The caller closes it. */
export function launchBrowser(env = process.env) {
  mkdirSync(ARTIFACTS, { recursive: true });
  return chromium.launch({ executablePath: env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: FLAGS });
}

/**
 * A page of a browser profile of its own, under watch. `problems` gathers what no page of ours may ever do: a request
 * to a foreign origin, a request that fails or is answered with an error, a console error or warning, an uncaught
 * exception, a violation of the Content-Security-Policy.
 */
export async function openPage(browser, origin, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 850 }, ...options });
  const page = await context.newPage();
  const problems = [];

  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && url.protocol !== 'data:' && url.protocol !== 'blob:') problems.push(`foreign request: ${url}`);
  });
  page.on('websocket', (socket) => {
    if (new URL(socket.url()).host !== new URL(origin).host) problems.push(`foreign websocket: ${socket.url()}`);
  });
  page.on('requestfailed', (request) => problems.push(`failed request: ${request.url()} ${request.failure()?.errorText}`));
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`answer ${response.status()}: ${response.url()}`);
  });
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.stack ?? error}`));
  await page.exposeFunction('reportViolation', (text) => problems.push(`policy violation: ${text}`));
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (e) => {
      window.reportViolation(`${e.effectiveDirective} blocked ${e.blockedURI} (${e.sourceFile ?? ''}:${e.lineNumber}) ${e.sample}`);
    });
  });

  await page.goto(`${origin}/`);
  return { page, problems, close: () => context.close() };
}

/** Saves what the page looks like under artifacts/, for a person to judge. */
export function screenshot(page, name) {
  return page.screenshot({ path: path.join(ARTIFACTS, `${name}.png`), animations: 'disabled' });
}
