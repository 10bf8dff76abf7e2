import { setTimeout } from 'node:timers/promises';
import relay, { type GraphQLSubscriptionConfig, type MutationParameters, type OperationType } from 'relay-runtime';
import PostsCommentMutation, { type postsCommentMutation } from './__generated__/postsCommentMutation.graphql.js';
import PostsNodeQuery, { type postsNodeQuery } from './__generated__/postsNodeQuery.graphql.js';
import PostsQuery, { type postsQuery } from './__generated__/postsQuery.graphql.js';
import PostsSaidSubscription, { type postsSaidSubscription } from './__generated__/postsSaidSubscription.graphql.js';
import PostsWriteMutation, { type postsWriteMutation } from './__generated__/postsWriteMutation.graphql.js';
import { environment, live } from './environment.js';

const commit = <M extends MutationParameters>(mutation: typeof PostsWriteMutation, variables: M['variables']) =>
  new Promise<M['response']>((onCompleted, onError) => relay.commitMutation<M>(environment, { mutation, variables, onCompleted, onError }));
const first = <S extends OperationType>(subscription: typeof PostsSaidSubscription, variables: S['variables']) =>
  new Promise<S['response'] | null | undefined>((onNext, onError) =>
    relay.requestSubscription<S>(environment, { subscription, variables, onNext, onError } as GraphQLSubscriptionConfig<S>));

environment.retain(relay.createOperationDescriptor(PostsQuery, { first: 2 }));
const page = await relay.fetchQuery<postsQuery>(environment, PostsQuery, { first: 2 }).toPromise();
const after = page?.posts?.pageInfo.endCursor;
const both = await relay.fetchQuery<postsQuery>(environment, PostsQuery, { first: 2, after }).toPromise(); // the connection holds both pages now
const authors = both?.posts?.edges.map(({ node }) => node.author?.handle);

const { createPost } = await commit<postsWriteMutation>(PostsWriteMutation, { input: { title: 'From Relay', body: 'Typed.', publish: true } });
const post = createPost?.post;
if (!post) throw new Error(createPost?.userErrors[0]?.message);
const again = await relay.fetchQuery<postsNodeQuery>(environment, PostsNodeQuery, { id: post.id }).toPromise();
if (again?.node?.__typename !== 'Post') throw new Error('the id is not that of a post');

const heard = first<postsSaidSubscription>(PostsSaidSubscription, { postId: post.id });
do await commit<postsCommentMutation>(PostsCommentMutation, { postId: post.id }); // until it is heard: over a websocket the server does not say when it has begun to listen
while (!(await Promise.race([heard, setTimeout(1000)])));
const event = await heard;
await live.dispose();

console.log(JSON.stringify({ authors, title: again.node.title, heard: event?.commentAdded?.comment }));
