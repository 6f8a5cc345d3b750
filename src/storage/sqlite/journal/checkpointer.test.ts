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

/** `lastWrite`: what the writer still commits before it has paused. */
function createRecordingWriter(lastWrite: () => void = () => {}): RecordingWriter {
  const calls: string[] = [];
  const events = new EventEmitter();
  return {
    calls,
    events,
    pause() {
      lastWrite();
      calls.push("pause");
    },
    resume() {
      calls.push("resume");
      events.emit("resumed");
    },
  };
}

function createFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "headgate-checkpoint-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

test("a log above its bound is written over from its beginning after the writer has paused", async () => {
  using folder = createFolder();
  const file = join(folder.path, "a.db");
  using connection = openConnection(file, { durability: "process", busyTimeoutMs: 0, checkpoints: false });
  connection.exec("CREATE TABLE t (x TEXT)");
  const write = (): void => connection.exec("INSERT INTO t VALUES (randomblob(1000000))");
  const logSize = (): number => statSync(`${file}-wal`).size;
  const writer = createRecordingWriter(write);
  const failures: unknown[] = [];
  const onProblem = (problem: unknown): void => void failures.push(problem);
  await using checkpointer = startCheckpointer(
    { file, logBytesMax: 100_000, onFailure: onProblem, onDeath: onProblem },
    writer,
  );
  write();
  const sizeBefore = logSize();
  const resumed = once(writer.events, "resumed");
  checkpointer.committed(MANY_OPERATIONS);
  await resumed;
  write();
  assert.equal(logSize(), sizeBefore);
  assert.deepEqual(writer.calls, ["pause", "resume"]);
  assert.deepEqual(failures, []);
});

test("a log that a reader had kept from its bound gives the disk back", async () => {
  using folder = createFolder();
  const file = join(folder.path, "a.db");
  using connection = openConnection(file, { durability: "process", busyTimeoutMs: 0, checkpoints: false });
  using reader = openConnection(file, { durability: "process", busyTimeoutMs: 0, checkpoints: false });
  connection.exec("CREATE TABLE t (x TEXT); INSERT INTO t VALUES (randomblob(1000000))");
  const logSize = (): number => statSync(`${file}-wal`).size;
  const writer = createRecordingWriter();
  const onProblem = (problem: unknown): never => assert.fail(String(problem));
  await using checkpointer = startCheckpointer(
    { file, logBytesMax: 100_000, onFailure: onProblem, onDeath: onProblem },
    writer,
  );
  const look = async (): Promise<void> => {
    const resumed = once(writer.events, "resumed");
    checkpointer.committed(MANY_OPERATIONS);
    await resumed;
  };
  reader.exec("BEGIN; SELECT count(*) FROM t");
  await look();
  assert.ok(logSize() > 100_000);
  reader.exec("COMMIT");
  connection.exec("INSERT INTO t VALUES (randomblob(1000000))");
  await look();
  assert.equal(logSize(), 0);
});

test("a worker that cannot work is reported, and never keeps the writer paused", async () => {
  using folder = createFolder();
  const noFolder = join(folder.path, "file");
  writeFileSync(noFolder, "");
  const writer = createRecordingWriter();
  const death = Promise.withResolvers<unknown>();
  await using checkpointer = startCheckpointer(
    { file: join(noFolder, "a.db"), logBytesMax: 1, onFailure: death.reject, onDeath: death.resolve },
    writer,
  );
  assert.match(String(await death.promise), /Cannot open the store/);
  assert.deepEqual(writer.calls, ["resume"]);
  checkpointer.committed(MANY_OPERATIONS);
});
