import { setTimeout } from 'node:timers/promises';
import { Client, cacheExchange, fetchExchange, subscriptionExchange, type OperationResult } from '@urql/core';
import { createClient } from 'graphql-sse';
import { graphql } from './gql/gql.js';
import type { SaidSubscription } from './gql/graphql.js';

const url = process.env.TRIBUTARY_URL ?? 'http://127.0.0.1:8080/graphql';
const headers = { authorization: `Bearer ${process.env.TRIBUTARY_TOKEN}` };
const live = createClient({ url, headers });
const client = new Client({
  url,
  fetchOptions: { headers },
  exchanges: [
    cacheExchange,
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({ unsubscribe: live.subscribe({ query: query ?? '', variables }, sink) }),
      }),
    }),
  ],
});

const Posts = graphql(`query Posts($first: Int!) { posts(first: $first) { nodes { title author { handle } } } }`);
const { data, error } = await client.query(Posts, { first: 3 });
if (error) throw error;
const authors = data?.posts?.nodes.map((post) => post.author?.handle);

const Write = graphql(`mutation Write($input: CreatePostInput!) { createPost(input: $input) { post { id title } userErrors { code message } } }`);
const written = await client.mutation(Write, { input: { title: 'From urql', body: 'Typed.', publish: true } });
const post = written.data?.createPost?.post;
if (!post) throw written.error ?? new Error(written.data?.createPost?.userErrors[0]?.message);

const Said = graphql(`subscription Said($postId: ID!) { commentAdded(postId: $postId) { comment { body author { handle } } cursor } }`);
const Comment = graphql(`mutation Comment($postId: ID!) { addComment(input: { postId: $postId, body: "Heard?" }) { userErrors { code } } }`);
const heard = new Promise<OperationResult<SaidSubscription>>((resolve) => client.subscription(Said, { postId: post.id }).subscribe(resolve));
do await client.mutation(Comment, { postId: post.id }); // until it is heard: the stream takes a moment to open
while (!(await Promise.race([heard, setTimeout(1000)])));
const event = await heard;
if (event.error) throw event.error;
live.dispose();

console.log(JSON.stringify({ authors, title: post.title, heard: event.data?.commentAdded?.comment }));
