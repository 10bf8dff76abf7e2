import { createServer, type Server } from 'node:http';
import { Webhook } from 'standardwebhooks';

export interface Event {
  type: string;
  timestamp: string;
  data: { subject: string; changes: Record<string, unknown> | null; truncated?: string[] };
}

/** A server that has each event handled, under an id that is the same when it comes again, and answers 204 when that is done. */
export function receiver(secret: string, handle: (id: string, event: Event) => Promise<void>): Server {
  const webhook = new Webhook(secret);
  return createServer(async (request, response) => {
    const id = String(request.headers['webhook-id']);
    let event: Event;
    try {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) {
        body += chunk;
        if (body.length > 65_536) throw new Error('too long');
      }
      event = webhook.verify(body, request.headers as Record<string, string>) as Event;
    } catch {
      response.writeHead(401).end('not signed with the secret');
      return;
    }
    try {
      await handle(id, event);
      response.writeHead(204).end();
    } catch {
      response.writeHead(503).end('try again');
    }
  });
}
