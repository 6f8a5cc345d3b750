/**
 * A PostgreSQL server of one test process. It listens on a socket in a temporary folder and is tuned to forget
 * everything with the process.
 *
 * A shell keeps it: when its standard input ends, however the test process did, it stops the server and removes the
 * folder. PostgreSQL refuses to run as root, so that root starts it as `nobody`.
 */
import { spawn, spawnSync } from "node:child_process";
import { chownSync, cpSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

export interface PostgresServer {
  /** Of one of its databases. */
  urlOf(database: string): string;
  /** Its socket, for a proxy. */
  readonly socket: string;
  /** Ends the server in the midst of what it does, with every connection. What was committed is there after `start`. */
  crash(): Promise<void>;
  /** Resolves when connections are accepted. */
  start(): Promise<void>;
}

const NOBODY = 65_534;

const settings = [
  "fsync=off",
  "full_page_writes=off",
  "listen_addresses=",
  "shared_buffers=64MB",
  "max_connections=200",
  "wal_level=minimal",
  "max_wal_senders=0",
  "autovacuum=off",
  "jit=off",
].map((setting) => `-c ${setting}`);

/** Its answers may find nobody who reads them any more. */
const keeper = `
trap '' PIPE
while read -r command; do
  case $command in
    start) "$BINARIES/postgres" -D "$FOLDER/data" -k "$FOLDER" ${settings.join(" ")} 2>&1 & ;;
    crash) kill -QUIT $!; wait $!; echo "server is gone" ;;
  esac
done
kill -QUIT $!
wait $!
rm -rf "$FOLDER"
`;

/** `binaries`: the folder of `initdb` and `postgres`. */
export async function startServer(binaries: string): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), "headgate-postgres-"));
  const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if (process.getuid?.() === 0) chownSync(folder, NOBODY, NOBODY);
  const reachable = initialise(binaries, folder, asNobody);
  const shell = spawn("/bin/sh", ["-c", keeper], {
    env: { BINARIES: reachable, FOLDER: folder, LC_ALL: "C", TZ: "UTC" },
    cwd: folder,
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
    ...asNobody,
  });
  const lines = createInterface(shell.stdout);
  const log: string[] = [];
  lines.on("line", (line) => log.push(line));

  /** Only an answer that is awaited keeps the test process alive. */
  const handles = [shell, shell.stdin, shell.stdout] as unknown as readonly { ref(): void; unref(): void }[];

  async function command(name: "start" | "crash", answer: string): Promise<void> {
    for (const handle of handles) handle.ref();
    const said = new Promise<void>((resolve, reject) => {
      const look = (line: string): void => {
        if (!line.includes(answer)) return;
        lines.off("line", look);
        resolve();
      };
      lines.on("line", look);
      lines.once("close", () => reject(new Error(`PostgreSQL did not ${name}:\n${log.slice(-20).join("\n")}`)));
    });
    shell.stdin.write(`${name}\n`);
    await said;
    for (const handle of handles) handle.unref();
  }

  const server = {
    urlOf: (database: string) => `postgres://headgate@${encodeURIComponent(folder)}/${database}`,
    socket: join(folder, ".s.PGSQL.5432"),
    crash: () => command("crash", "server is gone"),
    start: () => command("start", "ready to accept connections"),
  };
  await server.start();
  return server;
}

/** Makes the files of an empty server. Returns where the binaries were started from: `nobody` may not see all folders. */
function initialise(binaries: string, folder: string, asNobody: { uid?: number; gid?: number }): string {
  const flags = ["-U", "headgate", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--wal-segsize=1"];
  const run = (from: string) =>
    spawnSync(join(from, "initdb"), ["-D", join(folder, "data"), ...flags], {
      env: { LC_ALL: "C", TZ: "UTC" },
      cwd: folder,
      encoding: "utf8",
      ...asNobody,
    });
  let from = binaries;
  let result = run(from);
  if (result.error !== undefined && "code" in result.error && result.error.code === "EACCES") {
    const copy = join(folder, "postgresql");
    mkdirSync(copy);
    cpSync(dirname(binaries), copy, { recursive: true, verbatimSymlinks: true });
    from = join(copy, "bin");
    result = run(from);
  }
  if (result.status === 0) return from;
  throw new Error(`initdb failed: ${result.error?.message ?? `${result.stdout}\n${result.stderr}`}`);
}
