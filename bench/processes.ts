/** Child processes of a benchmark: pinned to a core, measured by what the operating system charged them. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

export interface Measured extends AsyncDisposable {
  readonly name: string;
  /** The first group of the pattern in what it prints. Throws if that does not come within ten seconds. */
  printed(pattern: RegExp): Promise<string>;
  /** User and system time of the process and all its children so far, in microseconds. */
  cpuUs(): number;
  /** Resident memory of the process and its children, in bytes. */
  residentBytes(): number;
}

const START_PAUSE_MS = 50;
const START_ATTEMPTS = 200;

/** Clock ticks per second of /proc/PID/stat: `getconf CLK_TCK`. */
const TICKS_PER_SECOND = Number(spawnSync("getconf", ["CLK_TCK"], { encoding: "utf8" }).stdout.trim() || "100");

/** Starts a command on one core and waits until its port accepts connections. Throws with its output if it does not. */
export async function startPinned(options: {
  readonly name: string;
  readonly core: number;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly port: number;
}): Promise<Measured> {
  if (await accepts(options.port)) throw new Error(`port ${options.port} is taken: stop what listens there`);
  const child = spawn("taskset", ["-c", String(options.core), ...options.command], {
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-8_000);
    });
  }
  await waitForPort(options.port, child, () => `${options.name} did not start:\n${output}`);
  const pid = child.pid ?? 0;
  return {
    name: options.name,
    async printed(pattern) {
      for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
        const found = pattern.exec(output)?.[1];
        if (found !== undefined) return found;
        await pause(START_PAUSE_MS);
      }
      throw new Error(`${options.name} did not print ${String(pattern)}:\n${output}`);
    },
    cpuUs: () => processTree(pid).reduce((sum, each) => sum + cpuOf(each), 0),
    residentBytes: () => processTree(pid).reduce((sum, each) => sum + residentOf(each), 0),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** Keeps this process off the measured core. */
export function pinSelf(core: number): void {
  spawnSync("taskset", ["-a", "-p", "-c", String(core), String(process.pid)]);
}

async function waitForPort(port: number, child: ChildProcess, complaint: () => string): Promise<void> {
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    if (child.exitCode !== null) break;
    if (await accepts(port)) return;
    await pause(START_PAUSE_MS);
  }
  throw new Error(complaint());
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    const fields = statOf(Number(entry));
    if (fields === null) continue;
    const parent = Number(fields[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

function cpuOf(pid: number): number {
  const fields = statOf(pid);
  if (fields === null) return 0;
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1e6;
}

function residentOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** The fields of /proc/PID/stat from the state on (field 3 of proc(5)); `null` if there is no such process. */
function statOf(pid: number): string[] | null {
  if (!Number.isInteger(pid)) return null;
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}
