/** Whole gateways on machines that share a database. */
import assert from "node:assert/strict";
import { pino } from "pino";
import { defaultConfig, defaultProvider } from "../../../src/config/defaults.ts";
import { createSecret } from "../../../src/config/secret.ts";
import { type Gateway, startGateway } from "../../../src/gateway.ts";
import { systemRandomFill } from "../../../src/kernel/ids.ts";
import type { Allowance } from "../../../src/limits/allowance.ts";
import { createAllowance } from "../../../src/limits/operations/create.ts";
import type { Simulator } from "../../../src/simulator/simulator.ts";
import { createFirstKey } from "../../../src/tenancy/first-key.ts";
import { clock, ids } from "../../contract/engines.ts";
import type { Scene } from "./scene.ts";

/** A gateway on a machine of the scene, with the simulator as its provider. */
export async function startOn(scene: Scene, simulator: Simulator, machine: string): Promise<Gateway> {
  const credentials = [{ name: "test", key: createSecret("sk-sim-test", "test") }];
  const config = defaultConfig({
    server: { port: 0, shutdownGraceMs: 500 },
    providers: { simulator: defaultProvider("simulator", { baseUrl: `${simulator.url}/v1`, credentials }) },
  });
  const { dataDir } = scene.optionsOf(machine);
  const storage = { ...config.storage, dataDir, postgres: createSecret(scene.proxy.url, "test") };
  return startGateway(
    { ...config, storage },
    { version: "0.0.0-test", overrides: { logger: pino({ level: "silent" }) } },
  );
}

/** A key, and a budget `all` of its tenant. Resolves with the key. */
export async function createKeyAndBudget(
  { store: { db } }: Gateway,
  mode: Allowance["mode"] = "enforce",
): Promise<string> {
  const first = await createFirstKey({ db, clock, ids, randomFill: systemRandomFill });
  assert.ok(first !== null);
  const { tenant_id: tenantId } = await db.selectFrom("api_keys").select("tenant_id").executeTakeFirstOrThrow();
  const scope = { kind: "tenant", tenantId, projectId: null, keyId: null, endUser: null } as const;
  await createAllowance(
    { db, clock, ids },
    { name: "all", meter: "money", limit: 1_000_000_000n, scope, window: "lifetime", policy: "strict", mode },
  );
  return first.plainKey;
}
