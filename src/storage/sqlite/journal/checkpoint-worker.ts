/** The thread that checkpoints: see checkpointer.ts for the protocol. */
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../../kernel/assert.ts";
import type { MessageFromWorker, MessageToWorker } from "./checkpointer.ts";
import { openConnection } from "../connection.ts";

const FRAME_BYTES = 4096 + 24;
/** How long a complete checkpoint may wait for readers and other processes, while the journal pauses. */
const COMPLETE_WAIT_MS = 50;

assert(parentPort !== null, "checkpoint-worker.ts runs in a worker thread");
const port = parentPort;
const { file, logBytesMax } = workerData as { readonly file: string; readonly logBytesMax: number };
const connection = openConnection(file, { durability: "process", busyTimeoutMs: COMPLETE_WAIT_MS, checkpoints: false });
const passive = connection.prepare("PRAGMA wal_checkpoint(PASSIVE)");
/** The log is written over from its beginning: a file that keeps its pages takes writes faster than one that grows. */
const restart = connection.prepare("PRAGMA wal_checkpoint(RESTART)");
/** For a log that had outgrown its bound: gives the disk back. */
const truncate = connection.prepare("PRAGMA wal_checkpoint(TRUNCATE)");

let pauseAtBytes = logBytesMax;

const send = (message: MessageFromWorker): void => port.postMessage(message);

function look(): void {
  let answer: MessageFromWorker = "looked";
  try {
    if (logBytes(passive.get()) > pauseAtBytes) answer = "pause";
  } finally {
    send(answer);
  }
}

function checkpointCompletely(): void {
  try {
    const row = (pauseAtBytes > logBytesMax ? truncate : restart).get();
    // A long reader keeps its part of the log alive: ask again only when the log has grown by half.
    pauseAtBytes = row?.["busy"] === 0 ? logBytesMax : pauseAtBytes * 1.5;
  } finally {
    send("resume");
  }
}

/** `log` is the number of frames in the log, -1 when it cannot be told: https://www.sqlite.org/pragma.html#pragma_wal_checkpoint */
function logBytes(row: Record<string, unknown> | undefined): number {
  return Number(row?.["log"] ?? 0) * FRAME_BYTES;
}

/** A full disk or a failing one is reported; the next look tries again. */
function attempt(checkpoint: () => void): void {
  try {
    checkpoint();
  } catch (error) {
    send({ failed: error instanceof Error ? error.message : String(error) });
  }
}

port.on("message", (message: MessageToWorker) => {
  if (message === "look") {
    attempt(look);
  } else if (message === "paused") {
    attempt(checkpointCompletely);
  } else {
    connection.close();
    port.close();
  }
});
