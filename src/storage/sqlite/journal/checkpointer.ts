/**
 * Keeps the write-ahead log bounded without the event loop ever waiting for a disk: checkpoints run in a worker
 * thread with its own connection.
 *
 *   every ~8 MB written ── "look" ─▶ worker: PASSIVE checkpoint, which disturbs nobody
 *   log still above its bound ◀─ "pause" ── worker; the journal stops writing ── "paused" ─▶ worker: RESTART
 *   journal writes on ◀─ "resume" ── worker
 *   log within its bound ◀─ "looked" ── worker
 *
 * On a machine too busy to give the worker its turn, the journal pauses by itself when a look stays unanswered while
 * another bound's worth was written, and goes on with the answer.
 *
 * A checkpoint that fails is tried again at the next look. If the worker itself dies, the owner must let the journal's
 * own connection checkpoint: slower at times, still bounded.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";

export interface CheckpointerOptions {
  readonly file: string;
  /** The size of the log above which writing pauses for the moment of a complete checkpoint. */
  readonly logBytesMax: number;
  /** A checkpoint failed. */
  readonly onFailure: (reason: string) => void;
  /** Called once if the worker dies; the checkpointer does nothing from then on. */
  readonly onDeath: (error: unknown) => void;
}

export interface PausableWriter {
  pause(): void;
  resume(): void;
}

export interface Checkpointer extends AsyncDisposable {
  /** Tells of a commit; now and then that makes the worker look at the log. */
  committed(operations: number): void;
}

export type MessageToWorker = "look" | "paused" | "stop";
export type MessageFromWorker = "looked" | "pause" | "resume" | { readonly failed: string };

/** Run from sources this file ends in `.ts`, run as published in `.js`; so does the worker's. */
const workerUrl = import.meta.url.endsWith(".ts")
  ? new URL("./checkpoint-worker.ts", import.meta.url)
  : new URL("./checkpoint-worker.js", import.meta.url);

/** Estimates of what a commit and each of its operations add to the log, in pages of 4 KiB. */
const PAGES_PER_COMMIT = 6;
const PAGES_PER_OPERATION = 1;
const PAGES_BETWEEN_LOOKS = 2048;
const PAGE_BYTES = 4096;

export function startCheckpointer(options: CheckpointerOptions, writer: PausableWriter): Checkpointer {
  const worker = new Worker(workerUrl, { workerData: { file: options.file, logBytesMax: options.logBytesMax } });
  const send = (message: MessageToWorker): void => worker.postMessage(message);
  const pagesMax = PAGES_BETWEEN_LOOKS + options.logBytesMax / PAGE_BYTES;
  let pages = 0;
  let looking = false;
  let dead = false;

  function goOn(): void {
    looking = false;
    pages = 0;
    writer.resume();
  }

  worker.unref();
  worker.on("message", (message: MessageFromWorker) => {
    if (message === "pause") {
      writer.pause();
      send("paused");
    } else if (message === "resume" || message === "looked") {
      goOn();
    } else {
      options.onFailure(message.failed);
    }
  });
  worker.on("error", (error) => {
    dead = true;
    writer.resume();
    options.onDeath(error);
  });

  return {
    committed(operations) {
      pages += PAGES_PER_COMMIT + operations * PAGES_PER_OPERATION;
      if (dead || pages < PAGES_BETWEEN_LOOKS) return;
      if (looking) {
        if (pages > pagesMax) writer.pause();
        return;
      }
      looking = true;
      send("look");
    },
    async [Symbol.asyncDispose]() {
      if (dead) return;
      worker.ref();
      const exited = once(worker, "exit");
      send("stop");
      await exited;
    },
  };
}
