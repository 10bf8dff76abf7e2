import { useState } from 'react';
import { useQuery } from 'urql';
import { PostSummary } from './PostSummary';
import { read } from './gql';
import { Everyone, Feed, PostPage } from './queries';
import { Failure, Loading } from './states';

/** A list of posts, which grows by pages. */
export function List({ everyone, viewerId }: { everyone: boolean; viewerId?: string }) {
  const [starts, setStarts] = useState<(string | undefined)[]>([undefined]);
  return (
    <>
      <h1>{everyone ? 'Everyone' : 'Your feed'}</h1>
      {starts.map((after, i) => (
        <Page
          key={after ?? ''}
          {...{ everyone, viewerId, after }}
          onMore={i === starts.length - 1 ? (cursor) => setStarts([...starts, cursor]) : undefined}
        />
      ))}
    </>
  );
}

interface PageProps {
  everyone: boolean;
  viewerId?: string;
  after?: string;
  onMore?: (cursor: string) => void;
}

function Page({ everyone, viewerId, after, onMore }: PageProps) {
  const [{ data, error, fetching }, again] = useQuery({ query: everyone ? Everyone : Feed, variables: { after } });
  const retry = () => again({ requestPolicy: 'network-only' });
  const page = read(PostPage, data?.list);
  const posts = page?.nodes;
  const next = page?.pageInfo;
  return (
    <>
      {error && <Failure error={error} partial={!!posts} onRetry={retry} />}
      {!posts && fetching && <Loading what="posts" />}
      {posts?.map((post) => <PostSummary key={post.id} of={post} viewerId={viewerId} />)}
      {posts?.length === 0 && <p className="note">Nothing here yet. Follow somebody under “Everyone”.</p>}
      {onMore && next?.hasNextPage && next.endCursor && (
        <button className="more" onClick={() => onMore(next.endCursor!)}>
          Show more
        </button>
      )}
    </>
  );
}
