/** Where a steady soak happens: every reliability feature configured, and an allowance of every meter on each path. */
import { createSystemClock } from "../../../src/kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../../src/kernel/ids.ts";
import { createAllowance, type AllowanceDraft } from "../../../src/limits/operations/create.ts";
import { databaseOptionsOf, openDatabase } from "../../../src/storage/storage.ts";
import { oneCredential, twoCredentials } from "../credentials.ts";
import { createSoakKeys, type SoakKeys } from "../keys.ts";
import { openPlace, type Place } from "../place.ts";
import { models } from "./routes.ts";

export interface SteadyPlace extends Place, SoakKeys {}

/** `keep`: the folder stays, for a person to look at. */
export async function createSteadyPlace(simulatorUrl: string, keep: boolean): Promise<SteadyPlace> {
  const place = openPlace((dataDir) => settings(dataDir, `${simulatorUrl}/v1`), keep);
  const keys = await createSoakKeys(place.config.storage);
  await createAllowances(place);
  return { ...place, ...keys };
}

/** Times are short, so that what waits for them happens often: breakers that open, keys that are forgotten. */
function settings(dataDir: string, baseUrl: string): unknown {
  const chat = { kind: "simulator", baseUrl };
  const claude = { kind: "simulator-anthropic", baseUrl };
  return {
    server: { port: 0, shutdownGraceMs: 5_000, heartbeatMs: 500 },
    storage: { dataDir },
    limits: { responseBytes: 2_097_152, streamEventBytes: 262_144 },
    timeouts: { connectMs: 5_000, firstTokenMs: 8_000, idleMs: 8_000, totalMs: 20_000, endingMs: 1_000 },
    telemetry: { logLevel: "error", logFormat: "json" },
    retries: { backoffMs: 20, backoffMaxMs: 200 },
    health: { openMs: 500, openMaxMs: 2_000, adaptiveConcurrency: "on" },
    queue: { lengthMax: 20, waitMs: 2_000, batchWaitMs: 3_000 },
    idempotency: { retentionMs: 60_000 },
    cache: { sizeBytes: 131_072, embeddings: "other/sim-embed:tag=meanings" },
    providers: {
      sim: { ...chat, credentials: twoCredentials },
      claude: { ...claude, credentials: twoCredentials, callerGone: "drain", drainMs: 400 },
      other: { ...chat, credentials: oneCredential },
      narrow: { ...chat, credentials: oneCredential, concurrency: 1 },
      // Nothing listens at port 1.
      nowhere: { kind: "simulator", baseUrl: "http://127.0.0.1:1/v1", credentials: oneCredential },
    },
    models,
  };
}

/** More than is used: they count, and refuse nothing. */
const drafts: readonly Omit<AllowanceDraft, "scope">[] = [
  { name: "money", meter: "money", limit: 1_000_000_000_000_000n },
  { name: "tokens", meter: "tokens", limit: 1_000_000_000_000n, policy: "strict" },
  { name: "requests", meter: "requests", limit: 1_000_000n, window: "minute" },
  { name: "slots", meter: "slots", limit: 1_000n },
];

async function createAllowances({ config }: Place): Promise<void> {
  const clock = createSystemClock();
  const ids = createIdSource(systemRandomFill, () => clock.wallMs());
  const db = openDatabase(databaseOptionsOf(config.storage));
  try {
    for (const { id } of await db.selectFrom("tenants").select("id").execute()) {
      const scope = { kind: "tenant", tenantId: id, projectId: null, keyId: null, endUser: null } as const;
      for (const draft of drafts) {
        await createAllowance({ db, clock, ids }, { ...draft, name: `${draft.name}-${id}`, scope });
      }
    }
  } finally {
    await db.destroy();
  }
}
