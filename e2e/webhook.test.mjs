import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import ts from 'typescript';

const repository = path.resolve(import.meta.dirname, '..');
const folder = path.join(import.meta.dirname, 'artifacts', 'webhook'); // below node_modules' parent, so that imports are found
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=';
const later = 'whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0';

describe('the webhook receiver in TypeScript', () => {
  let receiver;

  before(async () => {
    await mkdir(folder, { recursive: true });
    const source = path.join(folder, 'receiver.mts');
    await copyFile(path.join(repository, 'examples/webhook/receiver.ts'), source);
    const program = ts.createProgram([source], {
      strict: true, skipLibCheck: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, types: ['node'],
      typeRoots: [path.join(import.meta.dirname, 'node_modules/@types')],
    });
    const mistakes = [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
    assert.deepEqual(mistakes.map((m) => ts.flattenDiagnosticMessageText(m.messageText, '\n')), []);
    ({ receiver } = await import(path.join(folder, 'receiver.mjs')));
  });

  const cases = [
    ['takes what is signed', { knows: secret, status: 204 }],
    ['takes the old secret in a rotation', { knows: secret, rotated: later, status: 204 }],
    ['takes the new secret in a rotation', { knows: later, rotated: later, status: 204 }],
    ['refuses another secret', { knows: later, status: 401 }],
    ['asks to try again', { knows: secret, fails: true, status: 503 }],
  ];
  for (const [name, { knows, rotated = '', fails = false, status }] of cases) {
    test(name, async () => {
      const got = [];
      const server = receiver(knows, async (id, event) => {
        got.push({ id, type: event.type, changes: event.data.changes });
        if (fails) throw new Error('later');
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      try {
        const delivery = await deliver(`http://127.0.0.1:${server.address().port}/`, rotated);
        assert.equal(delivery.Status, status);
        assert.deepEqual(got, status === 401 ? [] : [{ id: delivery.EventID, type: 'webhook.ping', changes: {} }]);
      } finally {
        server.closeAllConnections();
        await promisify(server.close.bind(server))();
      }
    });
  }
});

/** One ping from the server's own sender. */
async function deliver(url, rotated) {
  const args = ['run', './e2e/deliver', '-url', url, '-secret', secret, '-rotated', rotated];
  const { stdout } = await promisify(execFile)('go', args, { cwd: repository, timeout: 120_000 });
  return JSON.parse(stdout);
}
