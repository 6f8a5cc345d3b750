/**
 * One installer at a time. A lock is a directory: creating it is atomic on every file system. Its holder touches it
 * every few seconds, so a lock whose holder was killed is recognised by its age, also across containers that share
 * the folder; on the same machine a dead process id is recognised at once.
 */
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const TOUCH_EVERY_MS = 2_000;
const STALE_AFTER_MS = 30_000;
const POLL_EVERY_MS = 100;

/** Runs `work` while holding the lock; calls `onWait` once if another process holds it. */
export async function withLock(path, work, onWait) {
  await acquire(path, onWait);
  const touching = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {
      // Taken over after a long sleep of the machine: the work itself is safe to repeat.
    });
  }, TOUCH_EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(touching);
    await rm(path, { recursive: true, force: true });
  }
}

async function acquire(path, onWait) {
  await mkdir(dirname(path), { recursive: true });
  let announced = false;
  while (!(await tryAcquire(path))) {
    if (await isStale(path)) {
      await discard(path);
      continue;
    }
    if (!announced) onWait();
    announced = true;
    await sleep(POLL_EVERY_MS);
  }
}

async function tryAcquire(path) {
  try {
    await mkdir(path);
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
  await writeFile(join(path, "owner"), `${process.pid} ${hostname()}`);
  return true;
}

async function isStale(path) {
  try {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > STALE_AFTER_MS) return true;
    const [pid, host] = (await readFile(join(path, "owner"), "utf8")).split(" ");
    return host === hostname() && !isAlive(Number(pid));
  } catch {
    // Released or not yet signed: try again.
    return false;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** The rename lets only one of several waiters discard the same lock. */
async function discard(path) {
  const aside = `${path}.stale-${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  await rm(aside, { recursive: true, force: true });
}
