// What GraphiQL keeps in localStorage: tabs, history, layout, settings. It differs from GraphiQL's own storage in two ways.
//
// - Its names carry a prefix. Those of GraphiQL are the same in every GraphiQL, so a developer who ran another server on
//   the same port would find that one's tabs here instead of the examples.
// - The history is stored without headers unless "Persist headers" is on. GraphiQL heeds that setting for tabs alone, so
//   a token that was used once would stay in the browser.
const PREFIX = 'tributary:';
const PERSIST_HEADERS = 'graphiql:shouldPersistHeaders';
const HISTORY = ['graphiql:queries', 'graphiql:favorites'];

const read = (name) => localStorage.getItem(PREFIX + name);
const write = (name, value) => localStorage.setItem(PREFIX + name, value);
const ownKeys = () => Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
const withoutHeaders = (json) => JSON.stringify(JSON.parse(json), (key, value) => (key === 'headers' ? undefined : value));

function setItem(name, value) {
  const bare = HISTORY.includes(name) && read(PERSIST_HEADERS) !== 'true';
  write(name, bare ? withoutHeaders(value) : value);
  if (name !== PERSIST_HEADERS || value === 'true') return;
  for (const list of HISTORY) {
    if (read(list)) write(list, withoutHeaders(read(list)));
  }
}

/** The storage to give GraphiQL; null, which keeps nothing from one visit to the next, where the browser forbids storage. */
export function createStorage() {
  try {
    read(PERSIST_HEADERS);
  } catch {
    return null;
  }
  return {
    getItem: read,
    setItem,
    removeItem: (name) => localStorage.removeItem(PREFIX + name),
    clear: () => ownKeys().forEach((key) => localStorage.removeItem(key)),
    get length() {
      return ownKeys().length;
    },
  };
}
