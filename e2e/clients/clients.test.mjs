import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GraphQLSchema, buildClientSchema, buildSchema, getIntrospectionQuery, lexicographicSortSchema, parse, print, printSchema, visit } from 'graphql';
import { startServer } from '../server.mjs';
import { readGuide, updateGuide } from './guide.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const BUILD = path.join(HERE, '.build');
const TIMEOUT_MS = 240_000;

const CLIENTS = { preset: 'From client-preset', urql: 'From urql', apollo: 'From Apollo', relay: 'From Relay', genqlient: 'From genqlient' };

/** One line of the guide, run in a client's folder; gives how it ended and what it said. */
function step(line, cwd, env) {
  const options = { cwd, timeout: TIMEOUT_MS / 2, env: { ...process.env, NO_COLOR: '1', ...env, PATH: path.join(HERE, 'node_modules/.bin') + path.delimiter + process.env.PATH } };
  return new Promise((resolve) => {
    execFile('sh', ['-c', `exec ${line.replace(/^npx /, '')}`], options, (error, stdout, stderr) => resolve({ error, stdout, said: `${line}\n${stdout}${stderr}` }));
  });
}

/** What `npx graphql-codegen` does in a folder, in this process: as a command it takes seconds to start. */
async function generateTypes(cwd) {
  const { generate, loadContext } = await import('@graphql-codegen/cli');
  const context = await loadContext(path.join(cwd, 'codegen.ts'));
  try {
    await generate({ ...context.getConfig(), cwd, silent: true });
    return { stdout: '', said: '' };
  } catch (error) {
    return { error, stdout: '', said: error.message };
  }
}

/** A line of a client's steps; that of the generator which three clients share runs as it is written for the first of them. */
const run = (client, line, dir, env) => (line === 'npx graphql-codegen' && client !== 'preset' ? generateTypes(dir) : step(line, dir, env));

/** A fresh folder with a client's files and a schema, as the guide's reader has it. */
async function folder(client, name, sdl) {
  const dir = path.join(BUILD, name);
  await rm(dir, { recursive: true, force: true });
  await cp(path.join(HERE, client), dir, { recursive: true });
  await cp(path.join(HERE, 'tsconfig.json'), path.join(dir, 'tsconfig.json'));
  await writeFile(path.join(dir, 'schema.graphql'), sdl);
  return dir;
}

const without = (sdl, type, field) =>
  print(
    visit(parse(sdl), {
      ObjectTypeDefinition: (node) => (node.name.value === type ? undefined : false),
      FieldDefinition: (node) => (node.name.value === field ? null : undefined),
    }),
  );

describe('generated clients', { concurrency: 2 }, () => {
  let server;
  let served;
  let steps;
  const env = {};

  /** Does the guide's steps; gives what the programs printed as JSON. */
  const follow = async (client, dir, env) => {
    let printed = '';
    for (const line of steps[client]) {
      const { error, stdout, said } = await run(client, line, dir, env);
      assert.ifError(error && new Error(said));
      printed += stdout;
    }
    return printed.match(/^\{.*\}$/gm).map((line) => JSON.parse(line));
  };

  before(async () => {
    await mkdir(BUILD, { recursive: true });
    ({ steps } = await readGuide());
    server = await startServer();
    env.TRIBUTARY_URL = `${server.origin}/graphql`;
    env.TRIBUTARY_TOKEN = (await server.run(['token', '--user', 'u1'])).trim().split('\n').at(-1);
    const query = getIntrospectionQuery({ specifiedByUrl: true, directiveIsRepeatable: true, inputValueDeprecation: true });
    const response = await fetch(env.TRIBUTARY_URL, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query }) });
    served = buildClientSchema((await response.json()).data);
  });
  after(async () => {
    await server?.stop();
    await rm(BUILD, { recursive: true, force: true });
  });

  test('the schema that the program prints is the one it serves', async () => {
    const types = (schema) => printSchema(lexicographicSortSchema(new GraphQLSchema({ ...schema.toConfig(), directives: [] }))).split('\n');
    const printed = types(buildSchema(await server.run(['schema'])));
    const first = types(served).findIndex((line, i) => line !== printed[i]);
    assert.equal(first, -1, `line ${first}: served ${types(served)[first]}, printed ${printed[first]}`);
    assert.equal(printed.length, types(served).length);
  });

  for (const [client, title] of Object.entries(CLIENTS)) {
    test(`${client} compiles strictly, reads, writes and hears`, { timeout: TIMEOUT_MS }, async () => {
      const [got, ...states] = await follow(client, await folder(client, client, printSchema(served)), env);
      assert.equal(got.title, title);
      assert.equal(got.heard.body, 'Heard?');
      assert.equal(got.heard.author.handle, 'tarek_haddad');
      assert.equal(got.authors.length, client === 'relay' ? 4 : 3); // Relay has read two pages of two
      assert.ok(got.authors.every((handle) => /^\w+$/.test(handle)));
      if (client === 'apollo') {
        assert.deepEqual(got.second, ['hash']);
        assert.deepEqual(states[0], { dataState: 'streaming', authors: [null, null] });
        assert.ok(states.at(-1).authors.every(Boolean));
      }
    });

    test(`${client} names a field that it uses and the schema lacks`, { timeout: TIMEOUT_MS }, async () => {
      const dir = await folder(client, `${client}-without`, without(printSchema(served), 'User', 'handle'));
      const { error, said } = await run(client, steps[client][0], dir, env);
      assert.ok(error, said);
      assert.match(said, /handle.*User|User.*handle/);
    });
  }

  test('a client of version 2 is generated from its schema, and from no other', { timeout: TIMEOUT_MS }, async () => {
    const dir = await folder('genqlient', 'genqlient-v2', await server.run(['schema', '--version', '2']));
    const operations = path.join(dir, 'operations.graphql');
    await writeFile(operations, (await readFile(operations, 'utf8')).replaceAll('author { handle }', 'author { handle viewerIsFollowing }'));
    const [got] = await follow('genqlient', dir, { ...env, TRIBUTARY_URL: env.TRIBUTARY_URL.replace('/graphql', '/v2/graphql') });
    assert.equal(got.heard.author.viewerIsFollowing, false);

    await writeFile(path.join(dir, 'schema.graphql'), await server.run(['schema', '--version', '1']));
    const { error, said } = await step(steps.genqlient[0], dir, env);
    assert.ok(error, said);
    assert.match(said, /viewerIsFollowing.*User/);
  });
});

describe('docs/clients.md', () => {
  test('shows the files as they are', async () => {
    if (process.env.UPDATE) await updateGuide();
    const { files } = await readGuide();
    assert.ok(files.length > Object.keys(CLIENTS).length);
    for (const { name, text } of files) assert.equal(text, await readFile(path.join(HERE, name), 'utf8'), `${name}; UPDATE=1 writes the page`);
  });

  test('installs what the tests install', async () => {
    const installed = JSON.parse(await readFile(path.join(HERE, 'package.json'), 'utf8')).devDependencies;
    for (const [, module, version] of (await readFile(path.join(HERE, 'genqlient/go.mod'), 'utf8')).matchAll(/^\s(\S+) v(\S+)/gm)) installed[module] = version;
    const { pins } = await readGuide();
    assert.ok(pins.length > 20);
    for (const { name, version } of pins) assert.equal(version, installed[name] ?? installed[path.dirname(name)], name);
  });
});
