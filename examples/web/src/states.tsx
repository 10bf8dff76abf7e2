import { useEffect } from 'react';
import type { CombinedError } from 'urql';

/** What went wrong, as it can be shown to a person. */
export function sentence(error: CombinedError): string {
  if (error.graphQLErrors[0]) return `${error.graphQLErrors[0].message}.`;
  return 'The server cannot be reached.';
}

export function Failure({ error, partial, onRetry }: { error: CombinedError; partial?: boolean; onRetry?: () => void }) {
  return (
    <p className="note failure" role="alert">
      {partial ? `Some of this is missing: ${sentence(error)}` : sentence(error)}
      {onRetry && <button onClick={onRetry}>Try again</button>}
    </p>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <div role="status" aria-label={`Loading ${what}`}>
      <div className="card ghost" />
      <div className="card ghost" />
    </div>
  );
}

/** Names the page in the browser's tab and history; undefined leaves the name that it has. */
export function useTitle(title?: string) {
  useEffect(() => {
    if (title) document.title = title;
  }, [title]);
}

const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export function When({ at }: { at?: string | null }) {
  if (!at) return null;
  return <time dateTime={at}>{format.format(new Date(at))}</time>;
}
