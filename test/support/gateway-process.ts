/** A gateway as a process of its own, with a configuration, a new store and its first key. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSystemClock } from "../../src/kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../src/kernel/ids.ts";
import { type DatabaseOptions, openDatabase } from "../../src/storage/storage.ts";
import { createFirstKey } from "../../src/tenancy/first-key.ts";
import { type Child, startGatewayProcess } from "../soak/children.ts";

export interface GatewayProcess extends AsyncDisposable {
  readonly url: string;
  readonly key: string;
  /** What it leaves in its store can be read when it has ended. */
  readonly store: DatabaseOptions;
  readonly end: Child["end"];
}

/** `config`: as in a file, without `storage`. Disposing kills it, if it still runs. */
export async function startProcess(config: object): Promise<GatewayProcess> {
  await using opened = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "headgate-process-"));
  opened.defer(() => rmSync(folder, { recursive: true, force: true }));
  const dataDir = join(folder, "data");
  mkdirSync(dataDir);
  const store: DatabaseOptions = { dataDir, durability: "process" };
  const key = await createKey(store);
  const configFile = join(folder, "headgate.yaml");
  // JSON is YAML, too.
  writeFileSync(configFile, JSON.stringify({ ...config, storage: { dataDir } }));
  const child = opened.use(await startGatewayProcess({ folder, configFile, env: {} }, 0));
  const resources = opened.move();
  return { url: child.url, key, store, end: child.end, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

async function createKey(store: DatabaseOptions): Promise<string> {
  const db = openDatabase(store);
  try {
    const ids = createIdSource(systemRandomFill, createSystemClock().wallMs);
    const first = await createFirstKey({ db, ids, clock: createSystemClock(), randomFill: systemRandomFill });
    if (first === null) throw new Error("The new store already has a tenant.");
    return first.plainKey;
  } finally {
    await db.destroy();
  }
}
