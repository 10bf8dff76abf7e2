import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient } from 'graphql-ws';
import { firstValueFrom } from 'rxjs';
import WebSocket from 'ws';
import { graphql } from './gql/gql.js';

const url = process.env.TRIBUTARY_URL ?? 'http://127.0.0.1:8080/graphql';
const authorization = `Bearer ${process.env.TRIBUTARY_TOKEN}`;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const live = createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: { authorization } });

// What went over the wire: a hash alone, or the document with it.
const sent: string[] = [];
const recordingFetch: typeof fetch = (input, init) => {
  sent.push(`${init?.body}`.includes('"query"') ? 'document' : 'hash');
  return fetch(input, init);
};

const newClient = () =>
  new ApolloClient({
    cache: new InMemoryCache({ possibleTypes: { Node: ['User', 'Post', 'Comment'] } }),
    link: ApolloLink.split(
      ({ operationType }) => operationType === 'subscription',
      new GraphQLWsLink(live),
      new PersistedQueryLink({ sha256 }).concat(new HttpLink({ uri: url, headers: { authorization }, fetch: recordingFetch })),
    ),
  });

const Posts = graphql(`query Posts($first: Int!) { posts(first: $first) { nodes { id title author { id handle } } } }`);
const client = newClient();
await client.query({ query: Posts, variables: { first: 3 } }); // the hash is not known unless somebody asked before: the document follows
sent.length = 0;
const { data } = await newClient().query({ query: Posts, variables: { first: 3 } });
const second = [...sent]; // another client needs the hash only
const authors = data?.posts?.nodes.map((post) => post.author?.handle);

const Write = graphql(`mutation Write($input: CreatePostInput!) { createPost(input: $input) { post { id title } userErrors { code message } } }`);
const written = await client.mutate({ mutation: Write, variables: { input: { title: 'From Apollo', body: 'Typed.', publish: true } } });
const post = written.data?.createPost?.post;
if (!post) throw written.error ?? new Error(written.data?.createPost?.userErrors[0]?.message);

const Said = graphql(`subscription Said($postId: ID!) { commentAdded(postId: $postId) { comment { id body author { id handle } } cursor } }`);
const Comment = graphql(`mutation Comment($postId: ID!) { addComment(input: { postId: $postId, body: "Heard?" }) { userErrors { code } } }`);
const heard = firstValueFrom(client.subscribe({ query: Said, variables: { postId: post.id } }));
do await client.mutate({ mutation: Comment, variables: { postId: post.id } }); // until it is heard: over a websocket the server does not say when it has begun to listen
while (!(await Promise.race([heard, setTimeout(1000)])));
const event = await heard;
if (event.error) throw event.error;
await live.dispose();

console.log(JSON.stringify({ authors, title: post.title, heard: event.data?.commentAdded?.comment, second }));
