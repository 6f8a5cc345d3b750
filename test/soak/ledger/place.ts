/** Where a ledger soak happens: providers of every kind in a place of its own, and tenants, projects and keys in its store. */
import type { Config } from "../../../src/config/config.ts";
import { defaultProvider, withProvider } from "../../../src/config/defaults.ts";
import { oneCredential, twoCredentials } from "../credentials.ts";
import { createSoakKeys, type SoakKeys } from "../keys.ts";
import { openPlace, type Place } from "../place.ts";

export interface SoakPlace extends Place, SoakKeys {
  /** The same with every provider within reach: a gateway killed before it called `nowhere` needs it to ask there. */
  readonly configAfterwards: Config;
}

/** `keep`: the folder stays, for a person to look at. */
export async function createPlace(simulatorUrl: string, keep: boolean): Promise<SoakPlace> {
  const baseUrl = `${simulatorUrl}/v1`;
  const place = openPlace((dataDir) => settings(dataDir, baseUrl), keep);
  const { config } = place;
  const reached = defaultProvider("nowhere", { ...config.providers["nowhere"], baseUrl });
  return {
    ...place,
    ...(await createSoakKeys(config.storage)),
    configAfterwards: withProvider(config, "nowhere", reached),
  };
}

/** Small bounds, so that what is too large need not be large. `hasty` providers give up soon: slow faults go there. */
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
