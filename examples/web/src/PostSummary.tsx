import { FollowButton } from './FollowButton';
import { type FragmentType, read } from './gql';
import { Author, PostCard } from './queries';
import { When } from './states';

/** A post with its author; `whole` shows all of it and links nowhere. */
export function PostSummary({ of, viewerId, whole }: { of: FragmentType<typeof PostCard>; viewerId?: string; whole?: boolean }) {
  const post = read(PostCard, of);
  const comments = post.commentCount ?? '–';
  const href = `#/post/${encodeURIComponent(post.id)}`;
  return (
    <article className="card">
      <Byline author={post.author} viewerId={viewerId} at={post.publishedAt} />
      {whole ? <h1>{post.title}</h1> : <h2><a href={href}>{post.title}</a></h2>}
      <p className={whole ? 'text' : 'text short'}>{post.body}</p>
      {!whole && <a className="quiet" href={href} aria-label={`${comments} comments on ${post.title}`}>{comments} {comments === 1 ? 'comment' : 'comments'}</a>}
    </article>
  );
}

interface BylineProps {
  author?: FragmentType<typeof Author> | null;
  viewerId?: string;
  at?: string | null;
}

/** Who wrote it and when. The author is null when they have left, and while the user service is down. */
export function Byline({ author, viewerId, at }: BylineProps) {
  const user = read(Author, author);
  return (
    <div className="byline">
      <span className="face" aria-hidden="true">{user?.name.slice(0, 1) ?? '?'}</span>
      <span className="name">
        {user ? <><strong>{user.name}</strong> <span className="quiet">@{user.handle}</span></> : <em className="quiet">Unknown author</em>}
        <When at={at} />
      </span>
      {user && viewerId && user.id !== viewerId && <FollowButton user={user} />}
    </div>
  );
}
