import { createClient, NetworkError } from 'graphql-sse';
import type { ExecutionResult, SubscriptionForwarder } from 'urql';

const LONGEST_REST_MS = 30_000;

/** What a page may want to know of its subscription; give `onLive` in the context of useSubscription. */
export type OnLive = (state: { live: boolean; missed: boolean }) => unknown;

/**
 * Subscriptions as event streams that survive broken connections: each payload has a cursor, and the next connection goes on
 * behind the last one, so that nothing is missed and nothing comes twice. Where that cannot be, at the beginning and after
 * an expired cursor, `missed` says that the page has to read once more what it shows.
 */
export function resuming(url: string, headers: Record<string, string>): SubscriptionForwarder {
  const client = createClient({ url, headers, retryAttempts: 0 });
  return ({ query, variables }, operation) => ({
    subscribe(sink) {
      const onLive = operation.context.onLive as OnLive | undefined;
      let stopped = false;
      let stop = () => {};
      let after: string | undefined;
      let failures = 0;

      const run = async () => {
        while (!stopped) {
          try {
            const results = client.iterate(
              { query: query ?? '', variables: { ...variables, after } },
              { connected: () => onLive?.({ live: true, missed: after === undefined }) },
            );
            stop = () => void results.return?.();
            for await (const result of results) {
              const expired = result.errors?.some((e) => e.extensions?.code === 'CURSOR_EXPIRED');
              if (expired) after = undefined;
              else if (result.data) {
                failures = 0;
                after = cursorOf(result.data) ?? after;
                sink.next(result as ExecutionResult);
              } else if (!after) {
                sink.next(result as ExecutionResult); // it was refused from the beginning, and will be again
                return sink.complete();
              }
            }
          } catch (error) {
            if (isRefusal(error)) return sink.error(error);
          }
          if (stopped) return;
          onLive?.({ live: false, missed: false });
          const rest = Math.min(LONGEST_REST_MS, 500 * 2 ** failures++) * (0.5 + Math.random() / 2); // not all clients at once
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, rest);
            stop = () => (clearTimeout(timer), resolve());
          });
        }
      };
      void run();
      return {
        unsubscribe() {
          stopped = true;
          stop();
        },
      };
    },
  });
}

function cursorOf(data: Record<string, unknown>): string | undefined {
  const [payload] = Object.values(data) as ({ cursor?: string } | null)[];
  return payload?.cursor;
}

/** Tells an answer that will be the same next time from a server that is away or busy. */
function isRefusal(error: unknown): boolean {
  const status = error instanceof NetworkError ? (error.response as Response | undefined)?.status : undefined;
  return status !== undefined && status >= 400 && status < 500 && status !== 429;
}
