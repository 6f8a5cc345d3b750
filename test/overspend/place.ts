/** Where an overspend run happens: a store with one tenant, one key and one budget, and a folder for each process. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSystemClock, type Clock } from "../../src/kernel/clock.ts";
import { createIdSource, systemRandomFill, type IdSource } from "../../src/kernel/ids.ts";
import type { EstimatePolicy } from "../../src/limits/allowance.ts";
import { createAllowance } from "../../src/limits/operations/create.ts";
import { openDatabase, type DatabaseOptions } from "../../src/storage/storage.ts";
import { createFirstKey } from "../../src/tenancy/first-key.ts";
import type { GatewayPlace } from "../soak/children.ts";

export interface OverspendPlace extends Disposable {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly key: string;
  readonly allowanceId: string;
  processPlace(index: number): GatewayPlace;
  /** How a process in that place opens its store. */
  storeOptions(index: number): DatabaseOptions;
}

export interface PlaceOptions {
  readonly simulatorUrl: string;
  /** Of a shared PostgreSQL database; `null`: all processes share one SQLite file. */
  readonly postgresUrl: string | null;
  readonly limitNanoUsd: bigint;
  readonly policy: EstimatePolicy;
}

const env = { OVERSPEND_KEY: "sk-overspend" };
const POSTGRES_VARIABLE = "OVERSPEND_POSTGRES";

export async function createPlace(options: PlaceOptions): Promise<OverspendPlace> {
  const { postgresUrl } = options;
  const root = mkdtempSync(join(tmpdir(), "headgate-overspend-"));
  const clock = createSystemClock();
  const ids = createIdSource(systemRandomFill, () => clock.wallMs());
  const storeOptions = (index: number): DatabaseOptions => ({
    dataDir: join(root, postgresUrl === null ? "data" : `data-${index}`),
    durability: "process",
    ...(postgresUrl === null ? {} : { postgres: { url: postgresUrl } }),
  });
  const db = openDatabase(storeOptions(0));
  try {
    const first = await createFirstKey({ db, ids, clock, randomFill: systemRandomFill });
    if (first === null) throw new Error("The new store already has a tenant.");
    const { tenantId } = await db.selectFrom("api_keys").select("tenant_id as tenantId").executeTakeFirstOrThrow();
    const allowance = await createAllowance(
      { db, ids, clock },
      {
        name: "all-there-is",
        meter: "money",
        limit: options.limitNanoUsd,
        scope: { kind: "tenant", tenantId, projectId: null, keyId: null, endUser: null },
        window: "lifetime",
        policy: options.policy,
      },
    );
    return {
      clock,
      ids,
      key: first.plainKey,
      allowanceId: allowance.id,
      storeOptions,
      processPlace(index) {
        const folder = join(root, `process-${index}`);
        mkdirSync(folder, { recursive: true });
        const configFile = join(folder, "headgate.yaml");
        const settings = settingsOf(options.simulatorUrl, storeOptions(index).dataDir, postgresUrl !== null);
        writeFileSync(configFile, JSON.stringify(settings, null, 2));
        return {
          folder,
          configFile,
          env: postgresUrl === null ? env : { ...env, [POSTGRES_VARIABLE]: postgresUrl },
        };
      },
      [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
    };
  } finally {
    await db.destroy();
  }
}

/** JSON is YAML, too. */
function settingsOf(simulatorUrl: string, dataDir: string, shared: boolean): unknown {
  const baseUrl = `${simulatorUrl}/v1`;
  const credentials = [{ name: "only", key: "env:OVERSPEND_KEY" }];
  return {
    server: { port: 0, shutdownGraceMs: 10_000 },
    storage: { dataDir, ...(shared ? { postgres: `env:${POSTGRES_VARIABLE}` } : {}) },
    limits: { concurrentRequests: 4000 },
    budgets: { outputSliceTokens: 256 },
    telemetry: { logLevel: "warn", logFormat: "json" },
    providers: {
      sim: { kind: "simulator", baseUrl, credentials },
      claude: { kind: "simulator-anthropic", baseUrl, credentials },
    },
  };
}
