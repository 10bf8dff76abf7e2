import { StrictMode, useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { Provider } from 'urql';
import { App } from './App';
import { makeClient } from './client';
import './style.css';

/** Another token is another caller, who starts with an empty cache. */
function Root() {
  const [token, setToken] = useState(() => sessionStorage.getItem('token') ?? '');
  const client = useMemo(() => makeClient(token), [token]);
  const remember = (next: string) => {
    if (next) sessionStorage.setItem('token', next);
    else sessionStorage.removeItem('token');
    setToken(next);
  };
  return (
    <Provider value={client} key={token}>
      <App token={token} onToken={remember} />
    </Provider>
  );
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <Root />
  </StrictMode>,
);
