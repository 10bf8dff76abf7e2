import type { Exchange, Operation, OperationResult } from 'urql';
import { fromArray, mergeMap, pipe, tap } from 'wonka';

/**
 * An answer may be older than the events that came while it was under way, and would take back what they have told the cache:
 * they are told once more behind it. Stands below the cache.
 */
export const eventsLast: Exchange = ({ forward }) => (operations$) => {
  const heard = new Map<number, OperationResult[]>(); // by each query that is under way: no more than the cache keeps of them
  let retold = 0;

  const begin = ({ kind, key }: Operation) => {
    if (kind === 'query') heard.set(key, []);
    if (kind === 'teardown') heard.delete(key);
  };
  // The cache keeps the results of one operation at one place in its order; a key of its own puts this behind the answer.
  const retell = (event: OperationResult): OperationResult => ({ ...event, operation: { ...event.operation, key: --retold } });
  const follow = (result: OperationResult) => {
    const { kind, key } = result.operation;
    if (kind === 'subscription') for (const events of heard.values()) events.push(result);
    if (kind !== 'query' || result.hasNext) return fromArray([result]);
    const events = heard.get(key) ?? [];
    heard.delete(key);
    return fromArray([result, ...events.map(retell)]);
  };
  return pipe(operations$, tap(begin), forward, mergeMap(follow));
};
