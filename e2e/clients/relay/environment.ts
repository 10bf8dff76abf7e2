import { createClient } from 'graphql-ws';
import relay from 'relay-runtime';
import WebSocket from 'ws';

const url = process.env.TRIBUTARY_URL ?? 'http://127.0.0.1:8080/graphql';
const authorization = `Bearer ${process.env.TRIBUTARY_TOKEN}`;

export const live = createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: { authorization } });

export const environment = new relay.Environment({
  store: new relay.Store(new relay.RecordSource()),
  network: relay.Network.create(
    async ({ text }, variables) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ query: text, variables }),
      });
      return response.json();
    },
    ({ text, name }, variables) =>
      relay.Observable.create((sink) => live.subscribe({ query: text ?? '', operationName: name, variables }, sink as never)),
  ),
});
