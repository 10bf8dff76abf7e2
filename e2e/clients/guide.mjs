import { readFile, writeFile } from 'node:fs/promises';

const PAGE = new URL('../../docs/clients.md', import.meta.url);
const FENCE = /^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm;

/**
 * docs/clients.md: what it says of each client, by the folder that its files are in.
 *
 * files are the blocks that carry a file's name, {name, text}; steps are the lines of its sh blocks, without what installs
 * packages; pins are the packages with their versions that any line installs.
 */
export async function readGuide() {
  const page = await readFile(PAGE, 'utf8');
  const files = [];
  const steps = {};
  for (const section of page.split(/^## /m)) {
    let folder;
    const lines = [];
    for (const [, kind, name, text] of section.matchAll(FENCE)) {
      if (name) files.push({ name, text });
      folder ??= name?.split('/').at(-2);
      if (kind === 'sh') lines.push(...text.trim().split('\n'));
    }
    if (folder) steps[folder] = lines.filter((line) => !/^(npm|go mod|go get) /.test(line));
  }
  const pins = [...page.matchAll(/(?<= )([@\w][\w./-]*)@v?(\d[\w.-]*)/g)].map(([, name, version]) => ({ name, version }));
  return { files, steps, pins };
}

/** Puts the files as they are into the page's blocks. */
export async function updateGuide() {
  const page = await readFile(PAGE, 'utf8');
  const names = [...page.matchAll(FENCE)].map(([, , name]) => name).filter(Boolean);
  const now = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(new URL(name, import.meta.url), 'utf8')])));
  await writeFile(PAGE, page.replace(FENCE, (block, kind, name) => (name ? `\`\`\`${kind} ${name}\n${now[name]}\`\`\`` : block)));
}
