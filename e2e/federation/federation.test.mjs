import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startServer } from '../server.mjs';
import { BADGES_SDL, startBadges } from './badges.mjs';
import { ROUTERS } from './routers.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const HUNDRED = Array.from({ length: 100 }, (_, i) => i + 1);

// Every upstream call counts: nothing is cached, shared or sent twice. Strangers may send no documents of their own.
const ARGS = '--addr 127.0.0.1:0 --no-cache-enabled --no-coalesce --no-user-hedge --no-post-hedge --no-comment-hedge --no-follower-hedge --persisted-documents only';

const messages = ({ errors }) => (errors ?? []).map(({ message }) => message);

/** Composes a supergraph as README's "Add Tributary to a supergraph" has it. */
async function compose(dir, files) {
  const readme = await readFile(path.join(HERE, '../../README.md'), 'utf8');
  const script = readme.match(/^```js compose\.mjs\n([\s\S]*?)^```$/m)?.[1];
  assert.ok(script, 'README.md has no compose.mjs');
  await writeFile(path.join(dir, 'compose.mjs'), script);
  await symlink(path.join(HERE, 'node_modules'), path.join(dir, 'node_modules'));
  const args = Object.entries(files).map(([name, { file, url }]) => `${name}=${file}=${url}`);
  await promisify(execFile)(process.execPath, ['compose.mjs', ...args], { cwd: dir });
  return readFile(path.join(dir, 'supergraph.graphql'), 'utf8');
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
    await writeFile(path.join(dir, 'tributary.graphql'), await server.run(['schema', '--federation']));
    await writeFile(path.join(dir, 'badges.graphql'), BADGES_SDL);
    supergraph = await compose(dir, {
      tributary: { file: 'tributary.graphql', url: `${server.origin}/v1/graphql` },
      badges: { file: 'badges.graphql', url: badges.url },
    });
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
    assert.equal(data._service.sdl, await readFile(path.join(dir, 'tributary.graphql'), 'utf8'));
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
        const first = events.next();
        await new Promise((resolve) => setTimeout(resolve, 500)); // the server does not say when it has begun to listen
        await router.ask('mutation { createPost(input: {title: "Heard", body: "b", publish: true}) { userErrors { code } } }', { authorization: user });
        const { post } = (await first).value.data.postAdded;
        assert.deepEqual(post, { title: 'Heard', author: { handle: 'tarek_haddad', badges: ['founder', 'odd'] } });
        ended.abort();
        await events.return().catch(() => {});
      });
    });
  }
});
