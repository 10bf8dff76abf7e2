import { once } from 'node:events';
import { createServer } from 'node:http';
import { buildSchema, graphql } from 'graphql';

const EXECUTABLE = buildSchema(`
  scalar _Any
  union _Entity = User
  type Query { badge(name: String!): Badge _entities(representations: [_Any!]!): [_Entity]! }
  type Badge { name: String! holders: [User]! for: [Post!]! }
  type User { id: ID! badges: [String!]! }
  type Post { id: ID! }
`);

/**
 * Serves the subgraph of README that stands beside Tributary, on loopback. badges maps a badge's name to the ids of its holders and of the posts that it was given for;
 * asked counts the representations of each request for users. stop() ends it.
 */
export async function startBadges(badges) {
  const asked = [];
  const user = (id) => ({ __typename: 'User', id, badges: Object.keys(badges).filter((name) => badges[name].holders.includes(id)) });
  const rootValue = {
    badge: ({ name }) => badges[name] && { name, holders: badges[name].holders.map(user), for: badges[name].for.map((id) => ({ id })) },
    _entities: ({ representations }) => {
      asked.push(representations.length);
      return representations.map(({ id }) => user(id));
    },
  };
  const server = createServer(async (request, response) => {
    const { query, variables } = JSON.parse((await request.toArray()).join(''));
    const result = await graphql({ schema: EXECUTABLE, source: query, variableValues: variables, rootValue });
    response.setHeader('content-type', 'application/json').end(JSON.stringify(result));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, asked, stop };
}
