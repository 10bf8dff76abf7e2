import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createClient as createSSEClient } from 'graphql-sse';
import { createClient as createWSClient } from 'graphql-ws';
import WebSocket from 'ws';
import { heardOf } from './heard.mjs';
import { startServer } from './server.mjs';

const POSTED = 'subscription ($after: String) { postAdded(authorIds: ["user_u1"], after: $after) { post { title } cursor } }';

// The clients that people use, against the server as it is.
describe('subscriptions', () => {
  let server;
  let token;

  before(async () => {
    server = await startServer();
    token = (await server.run(['token', '--user', 'u1'])).trim().split('\n').at(-1);
  });
  after(() => server?.stop());

  const publish = async (title) => {
    const query = 'mutation ($title: String!) { createPost(input: {title: $title, body: "b", publish: true}) { userErrors { code } } }';
    const response = await fetch(`${server.origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables: { title } }),
    });
    assert.deepEqual((await response.json()).data.createPost.userErrors, []);
  };

  const wsClient = (options = {}) =>
    createWSClient({ url: `${server.origin.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0, ...options });
  const sseClient = () => createSSEClient({ url: `${server.origin}/graphql`, retryAttempts: 0 });

  for (const [name, open] of Object.entries({ 'graphql-ws': wsClient, 'graphql-sse': sseClient })) {
    test(`${name} hears of posts, and goes on behind a cursor`, async () => {
      const client = open();
      try {
        const live = client.iterate({ query: POSTED });
        let written = 0;
        let { value } = await heardOf(live.next(), () => publish(`${name} one ${++written}`));
        while (value.data.postAdded.post.title !== `${name} one ${written}`) ({ value } = await live.next()); // all that it has heard of
        await live.return();
        await publish(`${name} two`);
        await publish(`${name} three`);
        const resumed = client.iterate({ query: POSTED, variables: { after: value.data.postAdded.cursor } });
        for (const title of [`${name} two`, `${name} three`]) {
          assert.equal((await resumed.next()).value.data.postAdded.post.title, title);
        }
        await resumed.return();
      } finally {
        await client.dispose();
      }
    });

    test(`${name} asks queries and is told of errors`, async () => {
      const client = open();
      try {
        for await (const answer of client.iterate({ query: '{ posts(first: 1) { nodes { title } } }' })) {
          assert.equal(answer.data.posts.nodes.length, 1);
        }
        await assert.rejects(async () => {
          for await (const answer of client.iterate({ query: '{ nothing }' })) {
            if (answer.errors) throw answer.errors;
          }
        });
      } finally {
        await client.dispose();
      }
    });
  }

  test('graphql-ws is let in with a token and kept out with a wrong one', async () => {
    const viewer = async (connectionParams) => {
      const client = wsClient({ connectionParams });
      try {
        for await (const answer of client.iterate({ query: '{ viewer { id } }' })) return answer.data.viewer?.id;
      } finally {
        await client.dispose();
      }
    };
    assert.equal(await viewer({}), undefined);
    assert.equal(await viewer({ Authorization: `Bearer ${token}` }), 'user_u1');
    await assert.rejects(viewer({ Authorization: 'Bearer nonsense' }), (error) => error.code === 4403);
  });
});
