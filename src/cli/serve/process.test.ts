/** `serve` as a real process: what only main.ts does. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const main = join(import.meta.dirname, "..", "..", "main.ts");

interface Process extends AsyncDisposable {
  readonly child: ChildProcess;
  /** The first line on stdout; what there was of it if the stream ended. */
  readonly firstLine: Promise<string>;
  readonly exited: Promise<readonly [code: number | null, signal: string | null]>;
}

function start(...args: string[]): Process {
  const folder = mkdtempSync(join(tmpdir(), "headgate-process-"));
  const env = { PATH: process.env["PATH"], HEADGATE_LOG_LEVEL: "silent", OLLAMA_HOST: "127.0.0.1:1" };
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, env, stdio: ["ignore", "pipe", "ignore"] });
  const exited = once(child, "exit") as Promise<[number | null, string | null]>;
  const line = Promise.withResolvers<string>();
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    if (text.includes("\n")) line.resolve(text.slice(0, text.indexOf("\n")));
  });
  child.stdout.on("close", () => line.resolve(text));
  return {
    child,
    firstLine: line.promise,
    exited,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

test("serve prints one line of JSON when it is ready, answers, and ends with 0 on SIGTERM", async () => {
  await using process = start("serve", "--port", "0", "--json");
  const ready = JSON.parse(await process.firstLine) as { baseUrl: string; apiKey: string; model: string };
  const answer = await fetch(`${ready.baseUrl}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${ready.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ model: ready.model, stream: true, messages: [{ role: "user", content: "hello" }] }),
  });
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /data: \[DONE\]\n\n$/);
  process.child.kill("SIGTERM");
  assert.deepEqual(await process.exited, [0, null]);
});

test("a reader that closes the pipe early is no failure", async () => {
  await using process = start("config", "print");
  process.child.stdout?.destroy();
  assert.deepEqual(await process.exited, [0, null]);
  assert.equal(await process.firstLine, "");
});

test("the exit code of a failed command is the process's", async () => {
  await using process = start("usage", "--since", "yesterday");
  assert.deepEqual(await process.exited, [2, null]);
  assert.equal(await process.firstLine, "");
});
