import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const READY_MS = 60_000;
const STOP_MS = 15_000;
const RUN_MS = 60_000;
const TAIL_CHARS = 8_000;

/**
 * The server under test. TRIBUTARY_URL names one that runs; otherwise TRIBUTARY_BIN is started with TRIBUTARY_ARGS
 * (default: --addr 127.0.0.1:0) in an empty folder, where its data goes, and is ready once it has printed a line with
 * the word "playground" and a loopback URL.
 *
 * run(args) runs another command of the same program beside it and gives what that prints; of a server that ran
 * already only "token …" is known, from TRIBUTARY_TOKEN. stop() ends the server and removes the folder; a server that
 * ran already goes on.
 */
export async function startServer(env = process.env) {
  if (env.TRIBUTARY_URL) return runningServer(env);
  if (!env.TRIBUTARY_BIN) throw new Error('set TRIBUTARY_BIN to the server to start, or TRIBUTARY_URL to one that runs');

  const bin = path.resolve(env.TRIBUTARY_BIN);
  const cwd = await mkdtemp(path.join(tmpdir(), 'tributary-e2e-'));
  const args = (env.TRIBUTARY_ARGS ?? '--addr 127.0.0.1:0').split(' ').filter(Boolean);
  const child = spawn(bin, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit').catch(() => {});
  const run = async (command) => (await promisify(execFile)(bin, command, { cwd, timeout: RUN_MS })).stdout;
  const orphaned = () => child.kill('SIGKILL');
  process.once('exit', orphaned); // of a test that ended without stop()
  const stop = async () => {
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    child.kill('SIGTERM');
    await exited;
    clearTimeout(kill);
    process.off('exit', orphaned);
    await rm(cwd, { recursive: true, force: true });
  };
  try {
    return { origin: await announcedOrigin(child), run, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function runningServer(env) {
  const run = async ([command]) => {
    if (command !== 'token' || !env.TRIBUTARY_TOKEN) throw new Error(`with TRIBUTARY_URL, "${command}" needs TRIBUTARY_TOKEN`);
    return env.TRIBUTARY_TOKEN;
  };
  return { origin: new URL(env.TRIBUTARY_URL).origin, run, stop: async () => {} };
}

/** The origin on the first line of the child's output that speaks of the playground. */
function announcedOrigin(child) {
  return new Promise((resolve, reject) => {
    let tail = '';
    const fail = (why) => {
      clearTimeout(timer);
      reject(new Error(`${why}\n${tail}`));
    };
    const timer = setTimeout(() => fail(`the server named no playground within ${READY_MS / 1000} s`), READY_MS);
    const read = (chunk) => {
      tail = (tail + chunk).slice(-TAIL_CHARS);
      const url = tail.match(/^.*playground.*?(http:\/\/127\.0\.0\.1:\d+)\b.*\n/im);
      if (!url) return;
      clearTimeout(timer);
      resolve(url[1]);
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    child.once('error', (error) => fail(`cannot start the server: ${error.message}`));
    child.once('exit', (code, signal) => fail(`the server ended with ${signal ?? code} before it was ready`));
  });
}
