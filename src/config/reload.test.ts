import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { Clock } from "../kernel/clock.ts";
import { HeadgateError } from "../kernel/errors.ts";
import { defaultProvider, withProvider } from "./defaults.ts";
import { renderProblems } from "./file/problem.ts";
import { loadConfig, type LoadOptions } from "./load.ts";
import { type ConfigSource, type ConfigSourceOptions, createConfigSource, type ReloadOutcome } from "./reload.ts";
import { watchFile } from "./watch.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "headgate-reload-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A clock that stands still until told to go on. */
class ManualClock implements Clock {
  #nowMs = 0;
  #timers: { readonly dueMs: number; readonly fire: () => void }[] = [];

  wallMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(fire: () => void, delayMs: number): { cancel(): void } {
    const timer = { dueMs: this.#nowMs + delayMs, fire };
    this.#timers.push(timer);
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) };
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    const due = this.#timers.filter((timer) => timer.dueMs <= this.#nowMs);
    this.#timers = this.#timers.filter((timer) => timer.dueMs > this.#nowMs);
    for (const timer of due) timer.fire();
  }
}

interface Harness {
  readonly source: ConfigSource;
  readonly clock: ManualClock;
  readonly outcomes: ReloadOutcome[];
  /** Reports a change of the file, as the file system would. */
  readonly change: () => void;
  readonly failWatching: (reason: string) => void;
  readonly closing: AbortController;
}

function write(text: string): void {
  writeFileSync(join(folder, "headgate.yaml"), text);
}

function open(text: string, more: Partial<ConfigSourceOptions> = {}): Harness {
  write(text);
  const load: LoadOptions = { env: {}, flags: {}, workingDirectory: folder, knownProviders: [] };
  const checked = loadConfig(load);
  assert.ok(checked.ok);
  const clock = new ManualClock();
  const closing = new AbortController();
  const watching = { changed: (): void => {}, failed: (_reason: string): void => {} };
  const source = createConfigSource(
    {
      clock,
      watch: (path, changed, failed) => {
        assert.equal(path, join(folder, "headgate.yaml"));
        Object.assign(watching, { changed, failed });
      },
    },
    { load, initial: checked.loaded, signal: closing.signal, ...more },
  );
  const outcomes: ReloadOutcome[] = [];
  source.subscribe((outcome) => outcomes.push(outcome));
  const change = (): void => watching.changed();
  return { source, clock, outcomes, change, failWatching: (reason) => watching.failed(reason), closing };
}

test("a reload applies the new file to new snapshots and leaves held ones as they were", () => {
  const { source, outcomes } = open("timeouts: {idleMs: 1s}");
  const held = source.current;
  write("timeouts: {idleMs: 2s}");
  const outcome = source.reload();
  assert.equal(outcome.kind, "applied");
  assert.equal(source.current.config.timeouts.idleMs, 2000);
  assert.equal(held.config.timeouts.idleMs, 1000);
  assert.deepEqual(outcomes, [outcome]);
});

test("a bad file changes nothing at all and is told", () => {
  const { source } = open("timeouts: {idleMs: 1s}");
  const before = source.current;
  write("timeouts: {idleMs: 2s}\nserver: {prot: 1}");
  const outcome = source.reload();
  assert.equal(source.current, before);
  assert.equal(
    outcome.kind === "refused" && renderProblems(outcome.problems),
    'headgate.yaml:2:10: server.prot is not a known key. Did you mean "port"?',
  );
});

test("a file that went away changes nothing", () => {
  const { source } = open("timeouts: {idleMs: 1s}");
  rmSync(join(folder, "headgate.yaml"));
  assert.equal(source.reload().kind, "refused");
  assert.equal(source.current.config.timeouts.idleMs, 1000);
});

test("options read at start keep their value, and the rest of the file is applied", () => {
  const { source } = open("server: {port: 1}");
  write("server: {port: 2, host: '::'}\nstorage: {dataDir: other, durability: power}\ntimeouts: {idleMs: 2s}");
  const outcome = source.reload();
  assert.ok(outcome.kind === "applied");
  assert.deepEqual(outcome.atNextStart, ["server.host", "server.port", "storage.dataDir", "storage.durability"]);
  const { server, storage, timeouts } = source.current.config;
  assert.deepEqual([server.port, server.host, storage.durability], [1, "127.0.0.1", "process"]);
  assert.equal(storage.dataDir, join(folder, ".headgate"));
  assert.equal(timeouts.idleMs, 2000);
  assert.equal(source.current.origins.get("server.host"), "default");
});

test("what the composition adds is added to every snapshot", () => {
  const amend: ConfigSourceOptions["amend"] = (config) => withProvider(config, "sim", defaultProvider("sim"));
  const { source } = open("", { amend });
  assert.deepEqual(Object.keys(source.current.config.providers), ["sim"]);
  source.reload();
  assert.deepEqual(Object.keys(source.current.config.providers), ["sim"]);
});

test("what the composition refuses is refused whole", () => {
  const amend: ConfigSourceOptions["amend"] = (config) => {
    if (config.timeouts.idleMs === 1) throw new HeadgateError("invalid_value", "no target is left");
    return config;
  };
  const { source } = open("timeouts: {idleMs: 1s}", { amend });
  write("timeouts: {idleMs: 1}");
  const outcome = source.reload();
  assert.equal(outcome.kind === "refused" && outcome.problems[0]?.message, "no target is left");
  assert.equal(source.current.config.timeouts.idleMs, 1000);
});

test("changes in quick succession reload once, a tenth of a second after the last", () => {
  const { source, clock, outcomes, change } = open("timeouts: {idleMs: 1s}");
  write("timeouts: {idleMs: 2s}");
  change();
  clock.advance(99);
  change();
  clock.advance(99);
  assert.equal(outcomes.length, 0);
  clock.advance(1);
  assert.equal(outcomes.length, 1);
  assert.equal(source.current.config.timeouts.idleMs, 2000);
});

test("after the end of its life nothing reloads by itself", async () => {
  const first = open("timeouts: {idleMs: 1s}");
  first.change();
  first.closing.abort();
  first.change();
  first.clock.advance(1000);
  assert.deepEqual(first.outcomes, []);
  const second = open("timeouts: {idleMs: 1s}");
  second.change();
  await second.source[Symbol.asyncDispose]();
  second.clock.advance(1000);
  assert.deepEqual(second.outcomes, []);
});

test("a file that cannot be watched is told, and reload still works", () => {
  const { source, outcomes, failWatching } = open("timeouts: {idleMs: 1s}");
  failWatching("no more watches");
  assert.deepEqual(outcomes, [{ kind: "unwatched", reason: "no more watches" }]);
  assert.equal(source.reload().kind, "applied");
});

test("the system tells of a file replaced by another, as editors do", async () => {
  write("a: 1");
  await using closing = abortOnDispose();
  const changed = nextChange(join(folder, "headgate.yaml"), closing.signal);
  writeFileSync(join(folder, "headgate.yaml.swp"), "a: 2");
  renameSync(join(folder, "headgate.yaml.swp"), join(folder, "headgate.yaml"));
  await changed;
});

test("the system tells of a swapped Kubernetes volume", async () => {
  for (const version of ["..1", "..2"]) {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, "headgate.yaml"), `a: "${version}"`);
  }
  symlinkSync("..1", join(folder, "..data"));
  symlinkSync(join("..data", "headgate.yaml"), join(folder, "headgate.yaml"));
  await using closing = abortOnDispose();
  const changed = nextChange(join(folder, "headgate.yaml"), closing.signal);
  symlinkSync("..2", join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  await changed;
});

test("a folder that is not there is reported once and does not throw", () => {
  const reasons: string[] = [];
  const { signal } = new AbortController();
  watchFile(
    join(folder, "none", "headgate.yaml"),
    () => {},
    (reason) => reasons.push(reason),
    signal,
  );
  assert.equal(reasons.length, 1);
});

/** Resolves with the first change the system tells of, rejects when it cannot watch. */
async function nextChange(path: string, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // The watcher does not keep the process alive; this does, and bounds the wait.
  const alive = setTimeout(() => reject(new Error("no change was told")), 5000);
  watchFile(path, resolve, (reason) => reject(new Error(reason)), signal);
  await promise.finally(() => clearTimeout(alive));
}

function abortOnDispose(): AsyncDisposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  return { signal: controller.signal, [Symbol.asyncDispose]: async () => controller.abort() };
}
