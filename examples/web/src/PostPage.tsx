import { useMemo, useState } from 'react';
import { useClient, useQuery, useSubscription } from 'urql';
import { CommentForm } from './CommentForm';
import { type FragmentType, read } from './gql';
import type { OnLive } from './live';
import { Byline, PostSummary } from './PostSummary';
import { CommentAdded, CommentItem, Post, PostCard } from './queries';
import { Failure, Loading, useTitle } from './states';

const fresh = { requestPolicy: 'network-only' } as const;

/** A post and its comments, to which new ones are added as they are written: see appendComment in client.ts. */
export function PostPage({ id, viewerId }: { id: string; viewerId?: string }) {
  const [live, setLive] = useState(false);
  const [{ data, error, fetching }, again] = useQuery({ query: Post, variables: { id } });
  const client = useClient();
  const context = useMemo(() => {
    const onLive: OnLive = async ({ live, missed }) => {
      setLive(live);
      if (!missed) return;
      // What was written between the first reading and the beginning of the stream, neither would tell. The client asks
      // the same only once at a time: a reading that is under way has to end first.
      await client.query(Post, { id }).toPromise();
      await client.query(Post, { id }, fresh).toPromise();
    };
    return { onLive };
  }, [client, id]);
  const [subscription] = useSubscription({ query: CommentAdded, variables: { postId: id }, context });

  const retry = () => again(fresh);
  const post = data?.post;
  useTitle(read(PostCard, post)?.title ?? (fetching || error ? 'Post' : 'No such post'));
  if (!post) {
    if (error) return <Failure error={error} onRetry={retry} />;
    if (fetching || !data) return <Loading what="post" />;
    return <NoSuchPost />;
  }
  const comments = post.comments;
  return (
    <>
      {error && <Failure error={error} partial onRetry={retry} />}
      <PostSummary of={post} viewerId={viewerId} whole />
      <section aria-labelledby="comments">
        <h2 id="comments">
          Comments <span className={live ? 'live' : 'quiet'} role="status">{live ? 'live' : subscription.error ? 'not live' : 'connecting…'}</span>
        </h2>
        {comments?.pageInfo.hasPreviousPage && <p className="quiet">Only the latest 50 at first.</p>}
        {comments?.nodes.length === 0 && <p className="note">No comments yet.</p>}
        <ol className="comments" aria-live="polite">
          {comments?.nodes.map((comment) => <Comment key={comment.id} of={comment} viewerId={viewerId} />)}
        </ol>
        {viewerId && <CommentForm postId={id} />}
      </section>
    </>
  );
}

export function NoSuchPost() {
  return <p className="note">There is no such post. <a href="#/everyone">See what everyone writes</a></p>;
}

function Comment({ of, viewerId }: { of: FragmentType<typeof CommentItem>; viewerId?: string }) {
  const comment = read(CommentItem, of);
  if (comment.isDeleted) return <li className="quiet">A comment that was deleted.</li>;
  return (
    <li>
      <Byline author={comment.author} viewerId={viewerId} at={comment.createdAt} />
      <p className="text">{comment.body}</p>
    </li>
  );
}
