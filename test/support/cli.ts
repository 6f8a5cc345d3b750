/** The command line in this process: a folder and an environment of its own, and everything written kept. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCli } from "../../src/cli/cli.ts";
import type { CliContext, SignalName, TextSink } from "../../src/cli/context.ts";
import { type Clock, createSystemClock } from "../../src/kernel/clock.ts";
import { systemRandomFill } from "../../src/kernel/ids.ts";

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  /** Resolves when the command has ended. */
  readonly result: Promise<CliResult>;
  /** Resolves with everything on stdout once there is something. */
  readonly ready: Promise<string>;
  signal(name: SignalName): void;
  /** As if an exception had been handled by nobody. */
  crash(error: unknown): void;
}

/** Disposing asks what still runs to stop, so that a test that failed does not keep its process alive. */
export interface TestCli extends Disposable {
  /** Working directory; also holds the data folder, `.headgate`. */
  readonly folder: string;
  run(...args: string[]): Promise<CliResult>;
  /** Runs with `--json`, expects success and reads the document. */
  json<Document>(...args: string[]): Promise<Document>;
  start(...args: string[]): RunningCli;
}

export interface TestCliOptions {
  /** All there is, besides an `OLLAMA_HOST` where none answers, whatever runs on this machine. */
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly isTty?: boolean;
}

/** Reserved for tcpmux, which nothing runs. */
const nobody = "127.0.0.1:1";

export function createTestCli({ env = {}, clock = createSystemClock(), isTty = false }: TestCliOptions = {}): TestCli {
  const folder = mkdtempSync(join(tmpdir(), "headgate-cli-"));
  const stillRunning = new Map<Promise<CliResult>, () => void>();

  function start(...args: string[]): RunningCli {
    const out: string[] = [];
    const err: string[] = [];
    const ready = Promise.withResolvers<string>();
    const listeners = new Map<string, (error: unknown) => void>();
    const listen = (name: string, listener: (error: unknown) => void): (() => void) => {
      listeners.set(name, listener);
      return () => void listeners.delete(name);
    };
    const stdout: TextSink = {
      isTty,
      drained: async () => {},
      write(text) {
        out.push(text);
        ready.resolve(out.join(""));
      },
    };
    const context: CliContext = {
      stdout,
      stderr: { isTty, drained: async () => {}, write: (text) => void err.push(text) },
      env: { OLLAMA_HOST: nobody, ...env },
      cwd: folder,
      clock,
      randomFill: systemRandomFill,
      process: { onSignal: listen, onUnhandled: (listener) => listen("unhandled", listener) },
      runtime: { node: "26.0.0", platform: "test", executable: process.execPath },
    };
    const signal = (name: SignalName): void => listeners.get(name)?.(null);
    const result = runCli(args, context).then((exitCode) => {
      ready.resolve(out.join(""));
      stillRunning.delete(result);
      return { exitCode, stdout: out.join(""), stderr: err.join("") };
    });
    stillRunning.set(result, () => signal("SIGTERM"));
    return {
      result,
      ready: ready.promise,
      signal,
      crash: (error) => listeners.get("unhandled")?.(error),
    };
  }

  return {
    folder,
    start,
    run: (...args) => start(...args).result,
    async json<Document>(...args: string[]) {
      const { exitCode, stdout, stderr } = await start(...args, "--json").result;
      if (exitCode !== 0) throw new Error(`headgate ${args.join(" ")} ended with ${exitCode}: ${stderr}`);
      return JSON.parse(stdout) as Document;
    },
    [Symbol.dispose]() {
      const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
      if (stillRunning.size === 0) return removeFolder();
      void Promise.allSettled(stillRunning.keys()).then(removeFolder);
      for (const stop of stillRunning.values()) stop();
    },
  };
}
