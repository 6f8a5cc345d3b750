/**
 * Where a soak happens: a temporary folder with a configuration, a store, and tenants, projects and keys in it, all
 * made before the first gateway starts.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../src/config/config.ts";
import { defaultProvider, withProvider } from "../../src/config/defaults.ts";
import { loadConfig } from "../../src/config/load.ts";
import { createSystemClock } from "../../src/kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../src/kernel/ids.ts";
import { providerSpecs } from "../../src/providers/catalogue.ts";
import { databaseOptionsOf, openDatabase } from "../../src/storage/storage.ts";
import { createKey, revokeKey } from "../../src/tenancy/keys.ts";
import { createProject } from "../../src/tenancy/projects.ts";
import type { TenancyDeps } from "../../src/tenancy/tenancy.ts";
import { createTenant } from "../../src/tenancy/tenants.ts";

export interface SoakKey {
  readonly id: string;
  readonly plainKey: string;
}

export interface SoakPlace extends Disposable {
  readonly folder: string;
  readonly configFile: string;
  readonly dataDir: string;
  /** Of the child processes, besides their path: the providers' credentials. */
  readonly env: Readonly<Record<string, string>>;
  readonly config: Config;
  /** The same with every provider within reach: a gateway killed before it called `nowhere` needs it to ask there. */
  readonly configAfterwards: Config;
  /** Keys in force, of several tenants and projects. */
  readonly keys: readonly SoakKey[];
  /** May use `sim/*` only. */
  readonly limitedKey: SoakKey;
  readonly revokedKey: SoakKey;
}

/** How a credential is known: its name in the configuration and the simulator's label for its key. */
export const credentialLabels: Readonly<Record<string, string>> = {
  first: "…k-ok",
  second: "…poor",
  other: "…ther",
};

const env = { SOAK_FIRST: "sk-soak-ok", SOAK_SECOND: "sk-soak-poor", SOAK_OTHER: "sk-soak-other" };
const twoCredentials = [
  { name: "first", key: "env:SOAK_FIRST" },
  { name: "second", key: "env:SOAK_SECOND" },
];
const oneCredential = [{ name: "other", key: "env:SOAK_OTHER" }];

/** `keep`: the folder stays, for a person to look at. */
export async function createPlace(simulatorUrl: string, keep: boolean): Promise<SoakPlace> {
  const folder = mkdtempSync(join(tmpdir(), "headgate-soak-"));
  const configFile = join(folder, "headgate.yaml");
  const dataDir = join(folder, "data");
  writeFileSync(configFile, JSON.stringify(settings(dataDir, `${simulatorUrl}/v1`), null, 2));
  const check = loadConfig({
    env,
    flags: { config: configFile },
    workingDirectory: folder,
    knownProviders: providerSpecs,
  });
  if (!check.ok) throw new Error(`The soak's configuration is refused: ${JSON.stringify(check.problems)}`);
  const { config } = check.loaded;
  const reached = defaultProvider("nowhere", { ...config.providers["nowhere"], baseUrl: `${simulatorUrl}/v1` });
  return {
    folder,
    configFile,
    dataDir,
    env,
    config,
    configAfterwards: withProvider(config, "nowhere", reached),
    ...(await createKeys(config)),
    [Symbol.dispose]: () => {
      if (!keep) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Small bounds, so that what is too large need not be large. `hasty` providers give up soon: slow faults go there.
 * JSON is YAML, too.
 */
function settings(dataDir: string, baseUrl: string): unknown {
  const drain = { callerGone: "drain", drainMs: 400 };
  const hasty = { firstTokenMs: 250, idleMs: 250 };
  const chat = { kind: "simulator", baseUrl };
  const claude = { kind: "simulator-anthropic", baseUrl };
  return {
    server: { port: 0, shutdownGraceMs: 5_000 },
    storage: { dataDir },
    limits: { bodyBytes: 65_536, responseBytes: 2_097_152, streamEventBytes: 262_144 },
    timeouts: { connectMs: 2_000, firstTokenMs: 3_000, idleMs: 3_000, totalMs: 10_000, endingMs: 1_000 },
    telemetry: { logLevel: "error", logFormat: "json" },
    providers: {
      sim: { ...chat, credentials: twoCredentials },
      "sim-drain": { ...chat, ...drain, credentials: oneCredential },
      "sim-hasty": { ...chat, timeouts: hasty, credentials: oneCredential },
      claude: { ...claude, credentials: twoCredentials },
      "claude-drain": { ...claude, ...drain, credentials: oneCredential },
      "claude-hasty": { ...claude, timeouts: hasty, credentials: oneCredential },
      // Nothing listens at port 1.
      nowhere: { kind: "simulator", baseUrl: "http://127.0.0.1:1/v1", credentials: oneCredential },
    },
    models: {
      either: { targets: ["sim/sim-chat:tokens=12", { model: "claude/sim-claude:tokens=9", weight: 2 }] },
    },
  };
}

async function createKeys(config: Config): Promise<Pick<SoakPlace, "keys" | "limitedKey" | "revokedKey">> {
  const clock = createSystemClock();
  const db = openDatabase(databaseOptionsOf(config.storage));
  try {
    const ids = createIdSource(systemRandomFill, () => clock.wallMs());
    const deps: TenancyDeps = { db, clock, ids, randomFill: systemRandomFill };
    const add = async (tenant: string, project: string, name: string, models: string[] | null): Promise<SoakKey> => {
      const { key, plainKey } = await createKey(deps, { tenant, project }, { name, modelAllowList: models });
      return { id: key.id, plainKey };
    };
    const keys: SoakKey[] = [];
    for (const tenant of ["north", "south", "west"]) {
      await createTenant(deps, tenant);
      for (const project of ["search", "support"]) {
        await createProject(deps, tenant, project);
        for (const name of ["one", "two"]) keys.push(await add(tenant, project, `${tenant}-${project}-${name}`, null));
      }
    }
    const limitedKey = await add("west", "support", "limited", ["sim/*"]);
    const revokedKey = await add("west", "support", "revoked", null);
    await revokeKey(deps, revokedKey.id);
    return { keys, limitedKey, revokedKey };
  } finally {
    await db.destroy();
  }
}
