/** A small project with the real bootstrap in it, a stand-in for npm and a main program that does as it is told. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const scripts = join(import.meta.dirname, "..", "..", "scripts");

const mainProgram = `
const [command, ...rest]: string[] = process.argv.slice(2);
console.log(JSON.stringify({ command, rest, pid: process.pid, node: process.versions.node }));
if (command === "exit") process.exit(Number(rest[0]));
if (command === "wait") {
  const open = setInterval(() => {}, 1000);
  process.on("SIGHUP", () => console.log("reloaded"));
  process.on("SIGTERM", () => {
    console.log("stopping");
    clearInterval(open);
    process.exitCode = 7;
  });
  console.log("ready");
}
`;

/** Makes the bootstrap believe that it runs on another version. */
function pretend(version: string): string {
  const source = `Object.defineProperty(process,"versions",{value:{...process.versions,node:"${version}"}})`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

export interface Run {
  readonly process: ChildProcess;
  /** The next line on stdout. Rejects when the stream ends. */
  line(): Promise<string>;
  /** All that was said, once both streams have ended. */
  ended(): Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>;
}

export class BootstrapProject implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "headgate-bootstrap-"));
  readonly #log = join(this.folder, "npm.log");

  constructor() {
    cpSync(join(scripts, "bootstrap.mjs"), join(this.folder, "scripts", "bootstrap.mjs"));
    cpSync(join(scripts, "bootstrap"), join(this.folder, "scripts", "bootstrap"), { recursive: true });
    mkdirSync(join(this.folder, "src"));
    writeFileSync(join(this.folder, "src", "main.ts"), mainProgram);
    writeFileSync(join(this.folder, "package.json"), `{ "type": "module" }`);
    this.writeLockfile("1.0.0");
    writeFileSync(this.#log, "");
  }

  writeLockfile(version: string): void {
    const packages = { "": {}, "node_modules/one": { version, integrity: "sha512-one" } };
    writeFileSync(join(this.folder, "package-lock.json"), JSON.stringify({ lockfileVersion: 3, packages }));
  }

  /** The npm commands so far, in order. */
  npmCalls(): string[] {
    return readFileSync(this.#log, "utf8").split("\n").slice(0, -1);
  }

  /** `version`: what the bootstrap takes the running Node for; by default what it is. */
  start(args: readonly string[], version: string | null = null, environment: NodeJS.ProcessEnv = {}): Run {
    const flags = version === null ? [] : ["--import", pretend(version)];
    const env = {
      ...process.env,
      npm_execpath: join(import.meta.dirname, "fixtures", "npm-cli.js"),
      FAKE_NPM_LOG: this.#log,
      FAKE_NPM_VERSION: "26.10.0",
      ...environment,
    };
    const script = join(this.folder, "scripts", "bootstrap.mjs");
    return follow(spawn(process.execPath, [...flags, script, ...args], { env, stdio: ["ignore", "pipe", "pipe"] }));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function follow(child: ChildProcess & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream }): Run {
  let stderr = "";
  const seen: string[] = [];
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const next = async (): Promise<string | null> => {
    const { value, done } = await lines.next();
    if (done === true) return null;
    seen.push(value);
    return value;
  };
  return {
    process: child,
    async line() {
      const value = await next();
      if (value === null) throw new Error(`No more output. stderr: ${stderr}`);
      return value;
    },
    async ended() {
      while ((await next()) !== null);
      const [code, signal] = await closed;
      return { code, signal, stdout: seen.join("\n"), stderr };
    },
  };
}
