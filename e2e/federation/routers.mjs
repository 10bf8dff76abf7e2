import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { parse } from 'graphql';

/**
 * The routers under test, each over a composed supergraph. key is the API key that it shows to Tributary; what a caller
 * shows as Authorization goes through. ask(query, {variables, authorization}) gives {data, errors}, subscribe(query,
 * {authorization, signal}) one after another; stop() ends it. Apollo's gateway in Node has no subscriptions.
 */
export const ROUTERS = [
  { name: 'Apollo Gateway', start: startApollo, subscribes: false },
  { name: 'Hive Gateway', start: startHive, subscribes: true },
];

async function startApollo(supergraphSdl, key) {
  const quiet = { debug() {}, info() {}, warn: console.warn, error: console.error };
  const gateway = new ApolloGateway({
    supergraphSdl,
    logger: quiet,
    buildService: ({ name, url }) =>
      new RemoteGraphQLDataSource({
        url,
        willSendRequest({ request, context }) {
          if (name !== 'tributary') return;
          request.http.headers.set('x-api-key', key);
          if (context.authorization) request.http.headers.set('authorization', context.authorization);
        },
      }),
  });
  const { schema, executor } = await gateway.load();
  const ask = (query, { variables, authorization } = {}) =>
    executor({
      schema, document: parse(query), request: { query, variables }, context: { authorization },
      queryHash: query, metrics: {}, logger: quiet, cache: new Map(),
    });
  return { ask, stop: () => gateway.stop() };
}

async function startHive(supergraph, key) {
  const gateway = createGatewayRuntime({
    supergraph,
    logging: false,
    propagateHeaders: {
      fromClientToSubgraphs: ({ request, subgraphName }) =>
        subgraphName === 'tributary' ? { 'x-api-key': key, authorization: request.headers.get('authorization') ?? undefined } : {},
    },
  });
  const send = (query, accept, { variables, authorization, signal } = {}) =>
    gateway.fetch('http://router/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept, ...(authorization && { authorization }) },
      body: JSON.stringify({ query, variables }),
      signal,
    });
  const ask = async (query, options) => (await send(query, 'application/json', options)).json();
  async function* subscribe(query, options) {
    const response = await send(query, 'text/event-stream', options);
    let text = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const data = text.slice(0, end).match(/^data: ?(.+)$/m);
        text = text.slice(end + 2);
        if (data) yield JSON.parse(data[1]);
      }
    }
  }
  return { ask, subscribe, stop: () => gateway[Symbol.asyncDispose]() };
}
