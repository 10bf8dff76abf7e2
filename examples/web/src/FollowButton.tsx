import { useState } from 'react';
import { useMutation } from 'urql';
import type { AuthorFragment } from './gql/graphql';
import { Follow, Unfollow } from './queries';
import { sentence } from './states';

/** Shows the wish at once and takes it back when it cannot be: the cache in client.ts does both. */
export function FollowButton({ user }: { user: AuthorFragment }) {
  const [following, follow] = useMutation(Follow);
  const [unfollowing, unfollow] = useMutation(Unfollow);
  const [problem, setProblem] = useState<string>();
  const pressed = user.viewerIsFollowing ?? false;

  const toggle = async () => {
    if (following.fetching || unfollowing.fetching) return;
    setProblem(undefined);
    const { data, error } = await (pressed ? unfollow : follow)({ input: { userId: user.id } });
    setProblem(data?.outcome?.userErrors[0]?.message ?? (error && sentence(error)));
  };
  const label = pressed ? 'Following' : 'Follow';
  return (
    <span className="follow">
      <button className={pressed ? undefined : 'primary'} aria-label={`${label} ${user.name}`} onClick={toggle}>
        {label}
      </button>
      <span role="alert" className="problem">{problem}</span>
    </span>
  );
}
