import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { startServer } from './server.mjs';

const FIVE_MINUTES = 5 * 60_000;
const STEP_MS = 120_000;
const env = { ...process.env, npm_config_prefer_offline: 'true', npm_config_audit: 'false', npm_config_fund: 'false', npm_config_ignore_scripts: 'true' };

// Does what the section says, word for word, but for the address of the server.
describe('README: from here to a typed query', () => {
  let server;
  let folder;

  before(async () => {
    server = await startServer();
    folder = await mkdtemp(path.join(tmpdir(), 'tributary-readme-'));
  });
  after(async () => {
    await server?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const run = async (command) => (await promisify(execFile)('bash', ['-euc', command], { cwd: folder, env, timeout: STEP_MS })).stdout;
  // What npm installs below the packages named is not pinned, and comes from elsewhere: it may fail once.
  const install = (command) => run(command).catch(() => run(command));

  test('the steps lead to a typed query, within five minutes besides what npm takes', async (t) => {
    const begun = Date.now();
    const counts = { sh: 0, file: 0, text: 0 };
    let printed = '';
    let installing = 0;
    for (const { kind, name, content } of await steps()) {
      counts[kind]++;
      const here = content.replaceAll('http://127.0.0.1:8080', server.origin);
      if (kind === 'sh' && here.startsWith('npm ')) {
        const from = Date.now();
        await install(here);
        installing += Date.now() - from;
      } else if (kind === 'sh') printed = await run(here);
      if (kind === 'text') assert.ok(printed.endsWith(`\n${here}`), printed);
      if (kind !== 'file') continue;
      await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
      await writeFile(path.join(folder, name), here);
    }
    const took = Date.now() - begun - installing;
    t.diagnostic(`${(took / 1000).toFixed(1)} s, and ${(installing / 1000).toFixed(1)} s to install`);
    assert.deepEqual(counts, { sh: 2, file: 3, text: 1 });
    assert.ok(took < FIVE_MINUTES, `${took} ms`);
  });

  test('a field that the schema does not have stops the generator, and one that was not asked for the compiler', async () => {
    const file = path.join(folder, 'src/newest.ts');
    const right = await readFile(file, 'utf8');
    await writeFile(file, right.replace('{ title author', '{ titel author'));
    await assert.rejects(run('npx graphql-codegen'), (e) => /Cannot query field "titel" on type "Post"/.test(e.stdout + e.stderr));
    await writeFile(file, right.replace('post.title', 'post.titel'));
    await assert.rejects(run('npx tsc'), (e) => /src\/newest\.ts.*Property 'titel' does not exist/.test(e.stdout));
  });
});

/** The fenced blocks of the section in order. One with a file's contents stands below the file's name. */
async function steps() {
  const readme = await readFile(path.join(import.meta.dirname, '../README.md'), 'utf8');
  const [, section] = readme.match(/^## From here to a typed query\n(.*?)^## /ms);
  return [...section.matchAll(/(?:`([\w/.]+)`[^\n`]*:\n\n)?^```(\w+)\n(.*?)^```$/gms)].map(([, name, language, content]) => ({
    kind: name ? 'file' : language,
    name,
    content,
  }));
}
