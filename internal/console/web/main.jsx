import { explorerPlugin } from '@graphiql/plugin-explorer';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { examples } from './examples.js';
import { createStorage } from './storage.js';
import { Versions, endpointOf } from './versions.jsx';

const mount = document.getElementById('playground');
const endpoint = new URL(endpointOf(mount.dataset.endpoint || 'graphql'), document.baseURI);

// GraphiQL introspects anew whenever one of these changes identity, so they are made once.
const fetcher = createGraphiQLFetcher({ url: endpoint.href });
const plugins = [explorerPlugin({ showAttribution: false })];
const storage = createStorage();

createRoot(mount).render(
  <GraphiQL
    fetcher={fetcher}
    plugins={plugins}
    storage={storage}
    defaultTabs={examples}
    defaultQuery=""
    defaultEditorToolsVisibility="headers"
  >
    <GraphiQL.Logo>
      Tributary <Versions base={document.baseURI} />
    </GraphiQL.Logo>
  </GraphiQL>,
);

// The documentation's search box shows "Ctrl K" everywhere but on a Mac, yet GraphiQL listens for the Meta key alone.
addEventListener('keydown', (event) => {
  const search = document.querySelector('.graphiql-doc-explorer-search input');
  if (!search || event.defaultPrevented || !event.ctrlKey || event.key !== 'k') return;
  event.preventDefault();
  search.focus();
});
