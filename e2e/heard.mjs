const AGAIN_MS = 1_000;
const TRIES = 30;

/**
 * Writes once a second until `event` is there, and gives that: over a websocket nothing tells when the server has begun to listen.
 * Rejects after half a minute.
 */
export async function heardOf(event, write) {
  for (let tries = 0; tries < TRIES; tries++) {
    await write();
    let timer;
    const heard = await Promise.race([event.then((value) => ({ value })), new Promise((resolve) => (timer = setTimeout(resolve, AGAIN_MS)))]);
    clearTimeout(timer);
    if (heard) return heard.value;
  }
  throw new Error(`nothing was heard of ${TRIES} writes`);
}
