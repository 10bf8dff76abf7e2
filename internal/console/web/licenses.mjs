import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const LICENSE_FILE = /^(licen[cs]e|copying|copyrightnotice)/i;

/**
 * The text that has to go along with a bundle: name, version, licence and licence text of every npm package of which it
 * holds a file. `inputs` are esbuild's input paths relative to `root`. Packages of one monorepo that publish no licence
 * file get the name of the licence alone.
 */
export function licenses(root, inputs) {
  const folders = new Set();
  for (const input of inputs) {
    const folder = input.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/);
    if (folder) folders.add(folder[0]);
  }
  const sections = [...folders].sort().map((folder) => section(path.join(root, folder)));
  return ['The playground contains the following packages.\n', ...sections].join('\n');
}

function section(folder) {
  const { name, version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const texts = readdirSync(folder)
    .filter((file) => LICENSE_FILE.test(file))
    .sort()
    .map((file) => readFileSync(path.join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim() + '\n');
  return [`${'='.repeat(80)}\n${name} ${version} (${license})\n`, ...texts].join('\n');
}
