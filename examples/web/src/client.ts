import { type Cache, cacheExchange } from '@urql/exchange-graphcache';
import { Client, fetchExchange, subscriptionExchange } from 'urql';
import { eventsLast } from './eventsLast';
import { type FragmentType, read } from './gql';
import type { AddCommentMutation, CommentAddedSubscription, FollowMutationVariables, UnfollowMutationVariables } from './gql/graphql';
import { resuming } from './live';
import { CommentItem } from './queries';

/** A client with a normalised cache: what one answer says of a user or a post shows wherever that one stands. */
export function makeClient(token: string): Client {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  return new Client({
    url: '/v2/graphql',
    preferGetMethod: false,
    fetchOptions: { headers },
    exchanges: [
      cacheExchange({
        keys: { PostConnection: () => null, CommentConnection: () => null, PageInfo: () => null },
        // Shown at once; dropped again when the real answer is an error or has no user.
        optimistic: {
          follow: ({ input }: FollowMutationVariables) => followed('FollowPayload', input.userId, true),
          unfollow: ({ input }: UnfollowMutationVariables) => followed('UnfollowPayload', input.userId, false),
        },
        updates: {
          Mutation: {
            addComment: (result: AddCommentMutation, _args, cache) => appendComment(cache, result.addComment?.comment),
          },
          Subscription: {
            commentAdded: (result: CommentAddedSubscription, _args, cache) => appendComment(cache, result.commentAdded?.comment),
          },
        },
      }),
      eventsLast,
      fetchExchange,
      subscriptionExchange({ forwardSubscription: resuming('/v2/graphql', headers) }),
    ],
  });
}

function followed(payload: string, id: string, viewerIsFollowing: boolean) {
  return { __typename: payload, userErrors: [], user: { __typename: 'User', id, viewerIsFollowing } };
}

/** Puts a comment at the end of every list of its post that is in the cache, unless it is there. */
function appendComment(cache: Cache, of?: FragmentType<typeof CommentItem> | null) {
  const comment = read(CommentItem, of);
  if (!comment?.post) return;
  const post = { __typename: 'Post', id: comment.post.id };
  const added = cache.keyOfEntity({ __typename: 'Comment', id: comment.id });
  for (const { fieldName, fieldKey } of cache.inspectFields(post)) {
    if (fieldName !== 'comments') continue;
    const list = cache.resolve(post, fieldKey) as string | null;
    const nodes = list && (cache.resolve(list, 'nodes') as string[] | null);
    if (nodes && added && !nodes.includes(added)) cache.link(list, 'nodes', [...nodes, added]);
  }
}
