// Builds the embedded assets:  node build.mjs          writes ../assets
//                              node build.mjs --check  compares ../assets with what the source gives, byte for byte
import { build } from 'esbuild';
import { gzipSync } from 'fflate';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { licenses } from './licenses.mjs';

const source = path.dirname(fileURLToPath(import.meta.url));
const target = path.join(source, '..', 'assets');

// GraphiQL's style sheet carries 360 KB of Roboto and Fira Code as data URIs; the page uses the reader's own fonts.
const dropFonts = {
  name: 'drop-fonts',
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, ({ path: file }) => ({
      contents: readFileSync(file, 'utf8').replace(/@font-face\s*\{[^}]*\}/g, ''),
      loader: 'css',
    }));
  },
};

function bundle() {
  return build({
    absWorkingDir: source,
    entryPoints: { 'playground.js': 'main.jsx', 'playground.css': 'playground.css' },
    outdir: target,
    entryNames: '[name]',
    write: false,
    bundle: true,
    minify: true,
    metafile: true,
    format: 'iife',
    target: ['es2022'],
    jsx: 'automatic',
    legalComments: 'none',
    banner: { js: '/* third-party licences: licenses.txt */' },
    define: { 'process.env.NODE_ENV': '"production"' },
    alias: { 'react-style-singleton': path.join(source, 'style-singleton.js') },
    plugins: [dropFonts],
    logLevel: 'warning',
  });
}

/** Every asset by file name, gzipped. fflate rather than zlib, whose output depends on the build of Node. */
async function assets() {
  const { outputFiles, metafile } = await bundle();
  const files = {
    'index.html': readFileSync(path.join(source, 'index.html')),
    'icon.svg': readFileSync(path.join(source, 'icon.svg')),
    'licenses.txt': Buffer.from(licenses(source, Object.keys(metafile.inputs))),
  };
  for (const { path: file, contents } of outputFiles) files[path.parse(file).name] = contents;
  return Object.entries(files).map(([name, bytes]) => [`${name}.gz`, gzipSync(bytes, { level: 9, mtime: 0 })]);
}

function check(built) {
  const want = new Map(built);
  const have = readdirSync(target);
  const stale = [...want].filter(([name, bytes]) => !have.includes(name) || !readFileSync(path.join(target, name)).equals(bytes));
  const extra = have.filter((name) => !want.has(name));
  const wrong = [...stale.map(([name]) => name), ...extra];
  if (wrong.length > 0) {
    console.error(`assets differ from their source: ${wrong.join(', ')}; run "npm run build"`);
    process.exitCode = 1;
  }
}

function write(built) {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target);
  for (const [name, bytes] of built) writeFileSync(path.join(target, name), bytes);
  const total = built.reduce((sum, [, bytes]) => sum + bytes.length, 0);
  for (const [name, bytes] of built) console.log(`${name.padEnd(20)} ${bytes.length}`);
  console.log(`${'total'.padEnd(20)} ${total}`);
}

const built = await assets();
if (process.argv.includes('--check')) check(built);
else write(built);
