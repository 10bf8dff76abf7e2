import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: 'schema.graphql',
  documents: 'client.ts',
  importExtension: '.js',
  generates: {
    'gql/': {
      preset: 'client',
      config: { documentMode: 'string', useTypeImports: true, scalars: { Time: 'string' }, defaultScalarType: 'unknown' },
    },
  },
};

export default config;
