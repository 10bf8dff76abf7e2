import { defineConfig } from 'vite';

// The page and the graph have one origin: Vite hands /v2/graphql on, so the server needs no --allowed-origins.
const target = process.env.TRIBUTARY_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  server: {
    host: '127.0.0.1',
    port: 5173,
    proxy: {
      '/v2/graphql': {
        target,
        changeOrigin: true,
        configure: (proxy) =>
          proxy.on('proxyRes', (answer, _, page) => {
            setImmediate(() => page.headersSent || page.flushHeaders()); // a stream opens before it has anything to say
            answer.on('close', () => answer.complete || page.destroy()); // and ends when its server dies
          }),
      },
    },
  },
  build: { modulePreload: { polyfill: false } },
});
