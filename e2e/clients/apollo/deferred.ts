import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client';
import { Defer20220824Handler } from '@apollo/client/incremental';
import { graphql } from './gql/gql.js';

const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: new HttpLink({ uri: process.env.TRIBUTARY_URL ?? 'http://127.0.0.1:8080/graphql' }),
  incrementalHandler: new Defer20220824Handler(),
});

const Deferred = graphql(`query Deferred { posts(first: 2) { nodes { id title ... @defer { author { id handle } } } } }`);

// Each state of the answer: the titles first, the authors when they have come.
client.watchQuery({ query: Deferred }).subscribe(({ data, dataState, error }) => {
  if (error) throw error;
  if (dataState === 'empty') return;
  const authors = data.posts?.nodes?.map((post) => (post && 'author' in post && post.author?.handle) || null);
  console.log(JSON.stringify({ dataState, authors }));
  if (dataState === 'complete') client.stop();
});
