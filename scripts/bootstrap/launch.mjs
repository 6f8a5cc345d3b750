/**
 * Runs the target. Under a current Node it is imported into this process, which then *is* the program. Otherwise it
 * runs as a child: terminal and streams are shared, signals are passed on, the exit code or signal is kept, and a
 * child whose parent was killed is told to stop.
 */
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { become } from "./become.mjs";

const CHILD = join(dirname(fileURLToPath(import.meta.url)), "child.mjs");
const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Resolves when the target has been imported or its process has ended. */
export async function launch({ node, running, file, args }) {
  if (node === running) {
    await become(file, args);
    return;
  }
  const env = {
    ...process.env,
    PATH: `${dirname(node)}${process.platform === "win32" ? ";" : ":"}${process.env.PATH}`,
  };
  const child = spawn(node, [CHILD, file, ...args], { stdio: ["inherit", "inherit", "inherit", "ipc"], env });
  const forward = (signal) => {
    // Ctrl-C in a terminal reaches the child without us: passing it on would make it two.
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    child.kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (...ending) => resolve(ending));
  });
  for (const name of FORWARDED) process.removeListener(name, forward);
  if (signal !== null) process.kill(process.pid, signal);
  else process.exitCode = code;
}
