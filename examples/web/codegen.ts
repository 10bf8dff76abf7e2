import type { CodegenConfig } from '@graphql-codegen/cli';

/** Where the graph is: the server that answers the page also tells its types. */
const server = process.env.TRIBUTARY_URL ?? 'http://127.0.0.1:8080';

const config: CodegenConfig = {
  schema: `${server}/v2/graphql`,
  documents: 'src/**/*.{ts,tsx}',
  generates: {
    'src/gql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: { unmaskFunctionName: 'read' } },
      config: { scalars: { ID: 'string', Time: 'string' }, defaultScalarType: 'unknown', enumsAsTypes: true, useTypeImports: true },
    },
  },
};
export default config;
