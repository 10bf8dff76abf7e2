import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { serverAudits } from 'graphql-http';
import { startServer } from './server.mjs';

// What the GraphQL over HTTP specification says a server must, should and may do: https://graphql.github.io/graphql-over-http
const audits = serverAudits({ url: () => url, fetchFn: fetch });
let url;

describe('GraphQL over HTTP', () => {
  let server;

  before(async () => {
    server = await startServer();
    url = `${server.origin}/graphql`;
  });
  after(() => server?.stop());

  test('there are as many audits as ever', () => assert.equal(audits.length, 61));

  for (const audit of audits) {
    test(`${audit.id} ${audit.name}`, async () => {
      const result = await audit.fn();
      assert.equal(result.status, 'ok', result.reason);
    });
  }

  test('a browser of a page elsewhere is refused, this server’s own is not', async () => {
    const get = `${url}?query=${encodeURIComponent('{ __typename }')}`;
    const status = async (headers) => (await fetch(get, { headers })).status;
    assert.equal(await status({}), 200);
    assert.equal(await status({ origin: server.origin }), 200);
    assert.equal(await status({ origin: 'https://elsewhere.example' }), 403);
    assert.equal(await status({ 'sec-fetch-site': 'cross-site' }), 403);
  });

  test('long answers come packed', async () => {
    const ask = (encoding) =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'accept-encoding': encoding },
        body: JSON.stringify({ query: '{ __schema { types { name description } } }' }),
      });
    const [packed, plain] = await Promise.all([ask('gzip'), ask('identity')]);
    assert.equal(packed.headers.get('content-encoding'), 'gzip');
    assert.equal(plain.headers.get('content-encoding'), null);
    assert.ok(Number(packed.headers.get('content-length')) < Number(plain.headers.get('content-length')));
    assert.deepEqual((await packed.json()).data, (await plain.json()).data);
  });
});
