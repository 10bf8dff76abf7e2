// The tabs a first visit opens with. Each must run against the seeded demo data as it stands.

const timeline = `# The newest posts with their authors.
# Ctrl-Enter runs it.
query Timeline {
  posts(first: 20) {
    nodes {
      id
      title
      publishedAt
      commentCount
      author {
        handle
        name
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`;

const profile = `# One person out of four services:
# user, posts, comments, followers.
query Profile {
  users(first: 1) {
    nodes {
      id
      name
      handle
      stats {
        posts
        comments
        followers
        following
      }
      posts(first: 10) {
        nodes {
          title
          comments(first: 5) {
            nodes {
              body
              author {
                handle
              }
            }
          }
        }
      }
      followers(first: 20) {
        totalCount
        nodes {
          handle
        }
      }
    }
  }
}
`;

const activity = `# Posts and comments of one person, merged
# by time across two services.
query Activity {
  users(first: 1) {
    nodes {
      handle
      activity(first: 10) {
        nodes {
          __typename
          ... on Post {
            title
          }
          ... on Comment {
            body
            post {
              title
            }
          }
        }
      }
    }
  }
}
`;

const createPost = `# Writing needs a token. This prints one:
#
#   tributary token --user u1
#
# Put it into the Headers pane below, as
#
#   {"Authorization": "Bearer TOKEN"}
mutation CreatePost {
  createPost(
    input: {title: "Hello", body: "First words"}
  ) {
    post {
      id
      title
      status
      author {
        handle
      }
    }
    userErrors {
      field
      message
      code
    }
  }
}
`;

/** Tabs as GraphiQL's defaultTabs takes them; a tab's title is the name of its operation. */
export const examples = [timeline, profile, activity, createPost].map((query) => ({ query }));
