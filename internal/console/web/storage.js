// GraphiQL keeps its tabs, history and layout in localStorage under names that every GraphiQL shares. A developer who
// runs another server on the same port would find that one's tabs here, so ours carry a prefix of their own.
const PREFIX = 'tributary:';

function ownKeys() {
  return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
}

/** The storage GraphiQL is given; a null takes the page back to defaults on every visit where the browser forbids storage. */
export function createStorage() {
  try {
    localStorage.getItem(PREFIX);
  } catch {
    return null;
  }
  return {
    getItem: (name) => localStorage.getItem(PREFIX + name),
    setItem: (name, value) => localStorage.setItem(PREFIX + name, value),
    removeItem: (name) => localStorage.removeItem(PREFIX + name),
    clear: () => ownKeys().forEach((key) => localStorage.removeItem(key)),
    get length() {
      return ownKeys().length;
    },
  };
}
