/**
 * The processes of a soak: the simulator, which outlives every gateway, and one gateway at a time, which is killed
 * and started again on the same port and data folder.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const ENDS_WITHIN_MS = 60_000;

/** What a gateway process needs of the place it runs in. */
export interface GatewayPlace {
  readonly folder: string;
  readonly configFile: string;
  /** Besides the path: the providers' credentials. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Child extends AsyncDisposable {
  readonly url: string;
  /** Milliseconds from the start of the process to its line that says so. */
  readonly readyMs: number;
  /** Sends the signal and waits for the end; the exit code, or `null` if the signal ended it. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<number | null>;
}

/** In a folder of its own choice: it writes nothing. */
export function startSimulatorProcess(seed: number): Promise<Child> {
  return startChild(["sim", "--port", "0", "--seed", String(seed), "--json"], {}, process.cwd(), null);
}

/** `port` 0: any free one. What it logs goes to `gateway.log` in the soak's folder. */
export function startGatewayProcess(place: GatewayPlace, port: number): Promise<Child> {
  return startChild(serveArguments(place, port), place.env, place.folder, join(place.folder, "gateway.log"));
}

/** Starts a gateway and kills it after so many milliseconds, wherever it is by then. */
export async function startAndKillGateway(place: GatewayPlace, port: number, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, [main, ...serveArguments(place, port)], {
    cwd: place.folder,
    env: { ...process.env, ...place.env },
    stdio: "ignore",
  });
  const exited = once(child, "exit");
  setTimeout(() => child.kill("SIGKILL"), afterMs);
  await exited;
}

/** `headgate usage reconcile`, as an operator runs it beside a gateway. Rejects unless it ends well. */
export async function runReconcileCommand(place: GatewayPlace, provider: string): Promise<void> {
  const args = ["usage", "reconcile", "--provider", provider, "--config", place.configFile];
  const child = spawn(process.execPath, [main, ...args], {
    cwd: place.folder,
    env: { ...process.env, ...place.env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`headgate usage reconcile ended with ${code}.`);
}

function serveArguments(place: GatewayPlace, port: number): string[] {
  return ["serve", "--config", place.configFile, "--port", String(port), "--json"];
}

async function startChild(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  folder: string,
  log: string | null,
): Promise<Child> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-4_000);
    if (log !== null) appendFileSync(log, chunk);
  });
  const url = await readyUrl(child, () => complaint);
  const end = (signal: "SIGTERM" | "SIGKILL"): Promise<number | null> => endChild(child, signal);
  return {
    url,
    readyMs: performance.now() - startedMs,
    end,
    async [Symbol.asyncDispose]() {
      await end("SIGKILL");
    },
  };
}

/** Of the one line of JSON that a server prints when it is ready. */
function readyUrl(child: ChildProcess, complaint: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("\n")) resolve((JSON.parse(text) as { readonly url: string }).url);
    });
    child.once("exit", (code) => reject(new Error(`It ended with ${code} before it was ready.\n${complaint()}`)));
  });
}

async function endChild(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, "exit", { signal: AbortSignal.timeout(ENDS_WITHIN_MS) });
  child.kill(signal);
  const [code] = (await exited) as [number | null];
  return code;
}
