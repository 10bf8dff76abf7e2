import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { heardOf } from '../heard.mjs';
import { startServer } from '../server.mjs';
import { startBadges } from './badges.mjs';
import { ROUTERS } from './routers.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const COMPOSE_MS = 60_000;
const HUNDRED = Array.from({ length: 100 }, (_, i) => i + 1);

// Every upstream call counts: nothing is cached, shared or sent twice. Strangers may send no documents of their own.
const ARGS = '--addr 127.0.0.1:0 --no-cache-enabled --no-coalesce --no-user-hedge --no-post-hedge --no-comment-hedge --no-follower-hedge --persisted-documents only';

const messages = ({ errors }) => (errors ?? []).map(({ message }) => message);

/** README's "Add Tributary to a supergraph": its files by their names, and its commands. */
async function guide() {
  const readme = await readFile(path.join(HERE, '../../README.md'), 'utf8');
  const [, section] = readme.match(/^## Add Tributary to a supergraph\n(.*?)^## /ms);
  const files = {};
  const commands = [];
  for (const [, kind, name, text] of section.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)) {
    if (name) files[name] = text;
    if (kind === 'sh') commands.push(...text.trim().split('\n'));
  }
  return { files, commands };
}

/**
 * Composes a supergraph in a folder as README has it, but for the addresses and for npm: the packages are those of this folder, whose
 * versions a test compares.
 */
async function compose(dir, server, badges) {
  const { files, commands } = await guide();
  const clone = path.join(dir, 'clone');
  const supergraph = path.join(dir, 'supergraph');
  for (const folder of [clone, supergraph]) await mkdir(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(supergraph, name), text);
  await symlink(path.join(HERE, 'node_modules'), path.join(supergraph, 'node_modules'));
  const script = commands
    .filter((command) => !command.startsWith('npm '))
    .join('\n')
    .replaceAll('go run .', '"$PROGRAM"')
    .replaceAll('http://127.0.0.1:8080', server.origin)
    .replaceAll('http://127.0.0.1:4001/', badges.url);
  const env = { ...process.env, PROGRAM: path.resolve(process.env.TRIBUTARY_BIN) };
  await promisify(execFile)('bash', ['-euc', script], { cwd: clone, env, timeout: COMPOSE_MS });
  return readFile(path.join(supergraph, 'supergraph.graphql'), 'utf8');
}

describe('Tributary as a subgraph', () => {
  let dir;
  let server;
  let badges;
  let key;
  let supergraph;
  let user;

  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'tributary-supergraph-'));
    const manifest = path.join(dir, 'manifest.json');
    await writeFile(manifest, JSON.stringify({ trusted: '{ __typename }' }));
    server = await startServer({ ...process.env, TRIBUTARY_ARGS: `${ARGS} --persisted-manifest ${manifest}` });
    const token = async (...more) => `Bearer ${(await server.run(['token', '--user', 'u1', ...more])).trim().split('\n').at(-1)}`;
    user = await token();
    const made = await post('mutation { createApiKey(input: {name: "router", scopes: ["federation"]}) { secret userErrors { message } } }', {
      authorization: await token('--scope', 'admin federation'),
    });
    key = made.data.createApiKey.secret;
    const published = await post('{ posts(first: 100) { nodes { id } } }', { 'x-api-key': key });
    badges = await startBadges({
      founder: { holders: HUNDRED.map((n) => `user_u${n}`), for: published.data.posts.nodes.map(({ id }) => id) },
      odd: { holders: ['user_u1', 'post_p1', 'user_nobody', 'user_u2'], for: [] },
    });
    supergraph = await compose(dir, server, badges);
  });
  after(async () => {
    await badges?.stop();
    await server?.stop();
    if (dir) await rm(dir, { recursive: true, force: true });
  });

  const post = async (query, headers) => {
    const body = JSON.stringify({ query });
    return (await fetch(`${server.origin}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })).json();
  };

  /** How often Tributary has called each endpoint of its services while f ran. */
  const upstream = async (f) => {
    const read = async () => {
      const counts = {};
      const metrics = await (await fetch(`${server.origin}/metrics`)).text();
      for (const [, labels, n] of metrics.matchAll(/^tributary_upstream_duration_seconds_count\{(.*)\} (\d+)$/gm)) {
        const label = Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
        const call = `${label.service} ${label.method} ${label.endpoint}`;
        counts[call] = (counts[call] ?? 0) + Number(n);
      }
      return counts;
    };
    const earlier = await read();
    const result = await f();
    const calls = Object.entries(await read()).map(([call, n]) => [call, n - (earlier[call] ?? 0)]);
    return { result, calls: Object.fromEntries(calls.filter(([, n]) => n > 0)) };
  };

  test('the schema that is served is the one that was composed', async () => {
    const { data } = await post('{ _service { sdl } }', { 'x-api-key': key });
    assert.equal(data._service.sdl, await readFile(path.join(dir, 'supergraph/tributary.graphql'), 'utf8'));
  });

  test('README installs what the tests install', async () => {
    const { commands } = await guide();
    const { devDependencies } = JSON.parse(await readFile(path.join(HERE, 'package.json'), 'utf8'));
    const pins = commands.flatMap((command) => [...command.matchAll(/ ([@\w][\w./-]*)@(\d[\w.-]*)/g)]);
    assert.deepEqual(pins.map(([, name]) => name), ['@apollo/composition', 'graphql']);
    for (const [, name, version] of pins) assert.equal(version, devDependencies[name], name);
  });

  test('without the scope federation a router is refused', async () => {
    const { errors } = await post('{ _service { sdl } }', { authorization: user });
    assert.equal(errors[0].extensions.code, 'PERSISTED_QUERY_REQUIRED');
  });

  for (const { name, start, subscribes } of ROUTERS) {
    describe(name, () => {
      let router;
      before(async () => {
        router = await start(supergraph, key);
      });
      after(() => router?.stop());

      test('a hundred entities of another subgraph are one call', async () => {
        const { result, calls } = await upstream(() => router.ask('{ badge(name: "founder") { holders { id handle badges } } }'));
        assert.deepEqual(messages(result), []);
        const { holders } = result.data.badge;
        assert.deepEqual(holders.map(({ id }) => id), HUNDRED.map((n) => `user_u${n}`));
        assert.ok(holders.every(({ handle, badges }) => handle && badges[0] === 'founder'));
        assert.deepEqual(calls, { 'user GET /users': 1 });
      });

      test('of two kinds they are one call for each', async () => {
        const { result, calls } = await upstream(() => router.ask('{ badge(name: "founder") { holders { handle } for { title } } }'));
        assert.deepEqual(messages(result), []);
        assert.ok(result.data.badge.for.every(({ title }) => title));
        assert.deepEqual(calls, { 'post GET /posts': 1, 'user GET /users': 1 });
      });

      test('a hundred of ours are completed by another subgraph at once', async () => {
        badges.asked.length = 0;
        const { result, calls } = await upstream(() => router.ask('{ users(first: 100, orderBy: OLDEST_FIRST) { nodes { id badges } } }'));
        assert.deepEqual(messages(result), []);
        assert.equal(result.data.users.nodes.length, 100);
        assert.deepEqual(badges.asked, [100]);
        assert.deepEqual(calls, { 'user GET /users': 1 });
      });

      test('errors of single entities keep their codes, and harm no neighbour', async () => {
        const { data, errors } = await router.ask('{ badge(name: "odd") { holders { id posts(first: 1) { totalCount } } } }');
        assert.deepEqual(errors.map(({ extensions }) => extensions.code), ['BAD_REPRESENTATION']);
        assert.deepEqual(errors[0].path.slice(0, 2), ['badge', 'holders']); // Hive leaves the index out
        assert.deepEqual(data.badge.holders.map(({ posts }) => posts !== null), [true, false, false, true]);
      });

      test('the caller is who wrote', async () => {
        const write = 'mutation { createPost(input: {title: "Through a router", body: "b"}) { post { status author { handle badges } } userErrors { code } } }';
        const refused = await router.ask(write);
        assert.equal(refused.errors[0].extensions.code, 'FORBIDDEN');
        const { data } = await router.ask(write, { authorization: user });
        assert.deepEqual(data.createPost.post.author.badges, ['founder', 'odd']);
      });

      if (!subscribes) return;
      test('events come through, with what another subgraph adds', async () => {
        const query = 'subscription { postAdded(authorIds: ["user_u1"]) { post { title author { handle badges } } } }';
        const ended = new AbortController();
        const events = router.subscribe(query, { authorization: user, signal: ended.signal });
        const write = 'mutation { createPost(input: {title: "Heard", body: "b", publish: true}) { userErrors { code } } }';
        const { value } = await heardOf(events.next(), () => router.ask(write, { authorization: user }));
        const { post } = value.data.postAdded;
        assert.deepEqual(post, { title: 'Heard', author: { handle: 'tarek_haddad', badges: ['founder', 'odd'] } });
        ended.abort();
        await events.return().catch(() => {});
      });
    });
  }
});
