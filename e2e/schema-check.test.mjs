import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BreakingChangeType, DangerousChangeType, buildSchema, findBreakingChanges, findDangerousChanges } from 'graphql';

// make schema-check finds what graphql-js finds, and some more.
const repository = fileURLToPath(new URL('..', import.meta.url));
const pairs = path.join(repository, 'internal/version/breaking/testdata');
const run = (program, args, options) => promisify(execFile)(program, args, { timeout: 120_000, ...options });
const theirs = { ...BreakingChangeType, ...DangerousChangeType };

// Where graphql-js' sentence names the element that changed, by the kinds that say it in that way.
const places = [
  [/^(\w+)$/, ' was removed.', ['TYPE_REMOVED']],
  [/^(\w+) changed from .*/, '', ['TYPE_CHANGED_KIND']],
  [/^\w+ was removed from union type (\w+)\.$/, '', ['TYPE_REMOVED_FROM_UNION']],
  [/^\w+ was added to union type (\w+)\.$/, '', ['TYPE_ADDED_TO_UNION']],
  [/^(\w+) was (?:removed from|added to) enum type (\w+)\.$/, '', ['VALUE_REMOVED_FROM_ENUM', 'VALUE_ADDED_TO_ENUM'], (value, type) => `${type}.${value}`],
  [/^An? (?:required|optional) field (\w+) on input type (\w+) was added\.$/, '', ['REQUIRED_INPUT_FIELD_ADDED', 'OPTIONAL_INPUT_FIELD_ADDED'], (field, type) => `${type}.${field}`],
  [/^(\w+) no longer implements interface \w+\.$/, '', ['IMPLEMENTED_INTERFACE_REMOVED']],
  [/^\w+ added to interfaces implemented by (\w+)\.$/, '', ['IMPLEMENTED_INTERFACE_ADDED']],
  [/^(\w+\.\w+)$/, ' was removed.', ['FIELD_REMOVED']],
  [/^(\w+\.\w+) changed type from .*/, '', ['FIELD_CHANGED_KIND']],
  [/^An? (?:required|optional) arg (\w+) on (\w+\.\w+) was added\.$/, '', ['REQUIRED_ARG_ADDED', 'OPTIONAL_ARG_ADDED'], (arg, field) => `${field}(${arg}:)`],
  [/^(\w+\.\w+) arg (\w+) .*/, '', ['ARG_REMOVED', 'ARG_CHANGED_KIND', 'ARG_DEFAULT_VALUE_CHANGE'], (field, arg) => `${field}(${arg}:)`],
  [/^(\w+)$/, ' was removed.', ['DIRECTIVE_REMOVED'], (name) => `@${name}`],
  [/^(\w+) was removed from (\w+)\.$/, '', ['DIRECTIVE_ARG_REMOVED'], (arg, name) => `@${name}(${arg}:)`],
  [/^A required arg (\w+) on directive (\w+) was added\.$/, '', ['REQUIRED_DIRECTIVE_ARG_ADDED'], (arg, name) => `@${name}(${arg}:)`],
  [/^(?:Repeatable flag|\w+) was removed from (\w+)\.$/, '', ['DIRECTIVE_REPEATABLE_REMOVED', 'DIRECTIVE_LOCATION_REMOVED'], (name) => `@${name}`],
];

/** "KIND coordinate" of each change that graphql-js found, in order. */
function named(changes) {
  return changes
    .filter(({ description }) => !description.startsWith('Standard scalar')) // no operation can tell that one is out of use
    .map(({ type, description }) => {
      const [form, end, , coordinate = (name) => name] = places.find(([, , types]) => types.includes(type));
      const found = description.slice(0, description.length - end.length).match(form);
      assert.ok(found && description.endsWith(end), `${type}: ${description}`);
      return `${type} ${coordinate(...found.slice(1))}`;
    })
    .sort();
}

describe('breaking changes', () => {
  let folder;
  let check;
  const seen = new Set();

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tributary-check-'));
    check = path.join(folder, 'check');
    await run('go', ['build', '-o', check, './internal/version/check'], { cwd: repository });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('are those that graphql-js finds', async (t) => {
    const names = (await readdir(pairs)).filter((name) => name.endsWith('.before.graphqls')).map((name) => name.split('.')[0]);
    assert.ok(names.length >= 12, names.join(' '));
    for (const name of names) {
      for (const [from, to] of [['before', 'after'], ['after', 'before']]) {
        await t.test(`${name}, ${from} → ${to}`, async () => {
          const files = [from, to].map((which) => path.join(pairs, `${name}.${which}.graphqls`));
          const [was, is] = await Promise.all(files.map(async (file) => buildSchema(await readFile(file, 'utf8'))));
          const ours = JSON.parse((await run(check, files)).stdout);
          const [breaking, dangerous] = [ours.breaking, ours.dangerous].map((all) =>
            all.filter(({ kind }) => kind in theirs).map(({ kind, coordinate }) => `${kind} ${coordinate}`).sort());
          // A default value that a required argument lost breaks more than graphql-js thinks.
          const required = new Set(ours.breaking.filter(({ kind }) => kind === 'ARG_BECAME_REQUIRED').map((change) => change.coordinate));
          assert.deepEqual(breaking, named(findBreakingChanges(was, is)));
          assert.deepEqual(dangerous, named(findDangerousChanges(was, is)).filter((change) => !required.has(change.split(' ')[1])));
          for (const change of [...breaking, ...dangerous]) seen.add(change.split(' ')[0]);
        });
      }
    }
    assert.deepEqual([...seen].sort(), Object.keys(theirs).sort(), 'the files show every kind of change');
  });

  test('of the served schema there are none', async () => {
    await run(check, [], { cwd: repository });
  });
});
