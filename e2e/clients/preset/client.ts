import { setTimeout } from 'node:timers/promises';
import { createClient } from 'graphql-sse';
import { graphql } from './gql/gql.js';
import type { SaidSubscription, TypedDocumentString } from './gql/graphql.js';

const url = process.env.TRIBUTARY_URL ?? 'http://127.0.0.1:8080/graphql';
const headers = { authorization: `Bearer ${process.env.TRIBUTARY_TOKEN}` };

async function ask<Data, Variables>(document: TypedDocumentString<Data, Variables>, variables: Variables): Promise<Data> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ query: document.toString(), variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(errors[0].message);
  return data;
}

const { posts } = await ask(
  graphql(`query Posts($first: Int!) { posts(first: $first) { nodes { title author { handle } } } }`),
  { first: 3 },
);
const authors = posts?.nodes.map((post) => post.author?.handle);

const { createPost } = await ask(
  graphql(`mutation Write($input: CreatePostInput!) { createPost(input: $input) { post { id title } userErrors { code message } } }`),
  { input: { title: 'From client-preset', body: 'Typed.', publish: true } },
);
const post = createPost?.post;
if (!post) throw new Error(createPost?.userErrors[0]?.message);

const live = createClient({ url, headers });
const said = graphql(`subscription Said($postId: ID!) { commentAdded(postId: $postId) { comment { body author { handle } } cursor } }`);
const heard = live.iterate<SaidSubscription>({ query: said.toString(), variables: { postId: post.id } }).next();
const comment = graphql(`mutation Comment($postId: ID!) { addComment(input: { postId: $postId, body: "Heard?" }) { userErrors { code } } }`);
do await ask(comment, { postId: post.id }); // until it is heard: the stream takes a moment to open
while (!(await Promise.race([heard, setTimeout(1000)])));
const { value } = await heard;
live.dispose();

console.log(JSON.stringify({ authors, title: post.title, heard: value?.data?.commentAdded?.comment }));
