import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { test } from "node:test";
import { openConnection } from "../connection.ts";
import { startCheckpointer } from "./checkpointer.ts";
import type { PausableWriter } from "./checkpointer.ts";

/** Enough for the checkpointer to look at the log. */
const MANY_OPERATIONS = 10_000;

interface RecordingWriter extends PausableWriter {
  readonly calls: string[];
  /** Emits `resumed`. */
  readonly events: EventEmitter;
}

function createRecordingWriter(logSize: () => number): RecordingWriter {
  const calls: string[] = [];
  const events = new EventEmitter();
  return {
    calls,
    events,
    pause: () => calls.push(`pause with ${logSize() > 0 ? "a log" : "none"}`),
    resume() {
      calls.push(`resume with ${logSize() > 0 ? "a log" : "none"}`);
      events.emit("resumed");
    },
  };
}

function createFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "headgate-checkpoint-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

test("a log above its bound is emptied while the writer pauses", async () => {
  using folder = createFolder();
  const file = join(folder.path, "a.db");
  using connection = openConnection(file, { durability: "process", busyTimeoutMs: 0, checkpoints: false });
  connection.exec("CREATE TABLE t (x TEXT); INSERT INTO t VALUES (randomblob(1000000))");
  const writer = createRecordingWriter(() => statSync(`${file}-wal`).size);
  const failures: unknown[] = [];
  const onProblem = (problem: unknown): void => void failures.push(problem);
  await using checkpointer = startCheckpointer(
    { file, logBytesMax: 100_000, onFailure: onProblem, onDeath: onProblem },
    writer,
  );
  const resumed = once(writer.events, "resumed");
  checkpointer.committed(MANY_OPERATIONS);
  await resumed;
  assert.deepEqual(writer.calls, ["pause with a log", "resume with none"]);
  assert.deepEqual(failures, []);
});

test("a worker that cannot work is reported, and never keeps the writer paused", async () => {
  using folder = createFolder();
  const noFolder = join(folder.path, "file");
  writeFileSync(noFolder, "");
  const writer = createRecordingWriter(() => 0);
  const death = Promise.withResolvers<unknown>();
  await using checkpointer = startCheckpointer(
    { file: join(noFolder, "a.db"), logBytesMax: 1, onFailure: death.reject, onDeath: death.resolve },
    writer,
  );
  assert.match(String(await death.promise), /Cannot open the store/);
  assert.deepEqual(writer.calls, ["resume with none"]);
  checkpointer.committed(MANY_OPERATIONS);
});
