import { graphql } from './gql';

export const Author = graphql(`
  fragment Author on User { id handle name viewerIsFollowing }
`);

export const PostCard = graphql(`
  fragment PostCard on Post {
    id title body publishedAt commentCount
    author { ...Author }
  }
`);

export const PostPage = graphql(`
  fragment PostPage on PostConnection {
    nodes { id ...PostCard }
    pageInfo { hasNextPage endCursor }
  }
`);

export const CommentItem = graphql(`
  fragment CommentItem on Comment {
    id body isDeleted createdAt
    author { ...Author }
    post { id }
  }
`);

export const Viewer = graphql(`
  query Viewer { viewer { id name } }
`);

export const Feed = graphql(`
  query Feed($after: String) { list: feed(first: 20, after: $after) { ...PostPage } }
`);

export const Everyone = graphql(`
  query Everyone($after: String) { list: posts(first: 20, after: $after) { ...PostPage } }
`);

export const Post = graphql(`
  query Post($id: ID!) {
    post(id: $id) {
      id ...PostCard
      comments(last: 50, orderBy: OLDEST_FIRST) {
        nodes { id ...CommentItem }
        pageInfo { hasPreviousPage }
      }
    }
  }
`);

export const CommentAdded = graphql(`
  subscription CommentAdded($postId: ID!, $after: String) {
    commentAdded(postId: $postId, after: $after) {
      cursor
      comment { id ...CommentItem }
    }
  }
`);

export const AddComment = graphql(`
  mutation AddComment($input: AddCommentInput!) {
    addComment(input: $input) {
      comment { id ...CommentItem }
      userErrors { message }
    }
  }
`);

export const Follow = graphql(`
  mutation Follow($input: FollowInput!) {
    outcome: follow(input: $input) { user { id viewerIsFollowing } userErrors { message } }
  }
`);

export const Unfollow = graphql(`
  mutation Unfollow($input: UnfollowInput!) {
    outcome: unfollow(input: $input) { user { id viewerIsFollowing } userErrors { message } }
  }
`);
