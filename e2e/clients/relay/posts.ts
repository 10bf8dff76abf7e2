// What relay-compiler reads. Nothing imports this file: client.ts takes the artifacts that are made of it, so that no Babel
// plugin has to put them in place of the tags. Where one does, the tags may stand in the components.
import { graphql } from 'relay-runtime';

graphql`
  query postsQuery($first: Int!, $after: String) {
    posts(first: $first, after: $after) @connection(key: "posts_posts") {
      edges { node { id title author { handle } } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

graphql`
  query postsNodeQuery($id: ID!) {
    node(id: $id) { __typename ... on Post { title author { handle } } }
  }
`;

graphql`
  mutation postsWriteMutation($input: CreatePostInput!) {
    createPost(input: $input) { post { id title } userErrors { code message } }
  }
`;

graphql`
  mutation postsCommentMutation($postId: ID!) {
    addComment(input: { postId: $postId, body: "Heard?" }) { userErrors { code } }
  }
`;

graphql`
  subscription postsSaidSubscription($postId: ID!) {
    commentAdded(postId: $postId) { comment { body author { handle } } cursor }
  }
`;
