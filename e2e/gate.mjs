import { once } from 'node:events';
import http from 'node:http';
import { buffer } from 'node:stream/consumers';

/**
 * A proxy in front of the server at `origin`, through which a test has things go wrong. `rule` is asked about each request body, and may
 * be replaced at any time: it gives, perhaps after a while, nothing to let the request pass, 'cut' to break its connection, a function that
 * edits the answer, at once or after a while in which it is held, or an answer in place of the server's. cut() breaks what is under way; stop() that too, and ends the gate.
 */
export async function startGate(origin) {
  const gate = { rule: async (_body) => {} };
  const server = http.createServer(async (request, response) => {
    const body = await buffer(request);
    const verdict = await gate.rule(String(body));
    if (verdict === 'cut') return response.destroy();
    if (typeof verdict === 'object') return response.setHeader('content-type', 'application/json').end(JSON.stringify(verdict));
    const { 'accept-encoding': _, ...headers } = request.headers;
    const upstream = http.request(origin + request.url, { method: request.method, headers, agent: false });
    response.on('close', () => upstream.destroy());
    upstream.on('error', () => response.destroy());
    upstream.on('response', async (answer) => {
      if (!verdict) {
        response.writeHead(answer.statusCode, answer.headers).flushHeaders();
        return answer.on('error', () => response.destroy()).pipe(response);
      }
      const edited = JSON.stringify(await verdict(JSON.parse(await buffer(answer))));
      response.writeHead(answer.statusCode, { 'content-type': answer.headers['content-type'] }).end(edited);
    });
    upstream.end(body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  gate.origin = `http://127.0.0.1:${server.address().port}`;
  gate.cut = () => server.closeAllConnections();
  gate.stop = async () => {
    const closed = once(server, 'close');
    server.close();
    gate.cut();
    await closed;
  };
  return gate;
}
