/** A gateway as a process of its own, started as a person would, read as a person would. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";

export interface RunningServer extends AsyncDisposable {
  /** Resolves when it has printed where it listens and its first key. Rejects with all it said if it ends before. */
  ready(): Promise<{ readonly url: string; readonly key: string }>;
  /** Sends SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>;
}

/** Its data goes to a new folder in `folder`; no provider of this machine reaches it, so it uses the simulator. */
export function startServer(command: string, args: readonly string[], folder: string): RunningServer {
  const dataDir = join(folder, ".headgate");
  const { PATH, HOME, npm_execpath } = process.env;
  const child = spawn(command, args, {
    cwd: folder,
    env: { PATH, HOME, npm_execpath, HEADGATE_DATA_DIR: dataDir, OLLAMA_HOST: "127.0.0.1:1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close");
  let said = "";
  const ready = new Promise<{ url: string; key: string }>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      said += chunk.toString();
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
      const key = /\bhg-[0-9A-Za-z]{43}\b/.exec(said)?.[0];
      if (url !== undefined && key !== undefined) resolve({ url, key });
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    child.on("error", reject);
    child.on("close", (code) => reject(new Error(`${command} ended with ${code} before it was ready:\n${said}`)));
  });
  const stop = async (): Promise<number | null> => {
    child.kill("SIGTERM");
    await closed;
    return child.exitCode;
  };
  return {
    ready: () => ready,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
