import { type FormEvent, useEffect, useRef, useSyncExternalStore } from 'react';
import { useQuery } from 'urql';
import { List } from './List';
import { NoSuchPost, PostPage } from './PostPage';
import { Viewer } from './queries';
import { useTitle } from './states';

export function App({ token, onToken }: { token: string; onToken: (token: string) => void }) {
  const path = usePath();
  const [{ data }] = useQuery({ query: Viewer, pause: !token });
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) main.current?.focus(); // so that the keyboard and screen readers go on at the new page
    first.current = false;
    scrollTo(0, 0);
  }, [path]);

  const signIn = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    onToken(String(new FormData(event.currentTarget).get('token')).trim());
  };
  const everyone = !token || path === '/everyone';
  const post = path.match(/^\/post\/(.+)$/)?.[1];
  const id = post && decoded(post);
  useTitle(id ? undefined : post ? 'No such post' : everyone ? 'Everyone' : 'Your feed'); // a post tells its own
  return (
    <>
      <header>
        <nav aria-label="Lists">
          {token && <Tab href="#/" label="Your feed" current={!post && !everyone} />}
          <Tab href="#/everyone" label="Everyone" current={!post && everyone} />
        </nav>
        {token ? (
          <p className="who">
            <span>{data?.viewer?.name}</span>
            <button onClick={() => onToken('')}>Sign out</button>
          </p>
        ) : (
          <form className="who" onSubmit={signIn}>
            <input
              {...{ name: 'token', type: 'password', required: true, autoComplete: 'off', placeholder: 'Token', 'aria-label': 'Token' }}
              pattern="[ -~]*" // a header takes nothing else, and the browser would not send the request
              title="A token is made of plain letters, digits and signs. Copy it once more."
            />
            <button>Sign in</button>
          </form>
        )}
      </header>
      <main ref={main} tabIndex={-1}>
        {!token && (
          <p className="note">
            You are reading as a guest. To follow and to write, sign in with what <code>go run . token --user u1</code> prints.
          </p>
        )}
        {id ? (
          <PostPage key={id} id={id} viewerId={data?.viewer?.id} />
        ) : post ? (
          <NoSuchPost />
        ) : (
          <List key={String(everyone)} everyone={everyone} viewerId={data?.viewer?.id} />
        )}
      </main>
    </>
  );
}

function Tab({ href, label, current }: { href: string; label: string; current: boolean }) {
  return (
    <a href={href} aria-current={current ? 'page' : undefined}>
      {label}
    </a>
  );
}

/** An id out of the address, or undefined of what no id is written as. */
function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** The part of the address behind the #: what the page shows. */
function usePath(): string {
  const subscribe = (changed: () => void) => {
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  };
  return useSyncExternalStore(subscribe, () => location.hash.slice(1) || '/');
}
