/** Allowances for a simulated tenant: of every meter, regime, scope, mode and policy, small enough to run out. */
import { regimeOf, type AllowanceWindow, type Meter } from "../../../src/limits/allowance.ts";
import type { AllowanceRow } from "../model/control.ts";
import type { Random } from "../world/random.ts";

export const tenantId = "tenant";

/** Keys and the projects they are of. */
export const keys: readonly { readonly keyId: string; readonly projectId: string }[] = [
  { keyId: "key-a", projectId: "project-1" },
  { keyId: "key-b", projectId: "project-1" },
  { keyId: "key-c", projectId: "project-2" },
];
export const endUsers: readonly (string | null)[] = [null, null, "ada", "ben"];

/** Nano-dollars a token, of the dearest model. */
export const highestPrice = 7_300n;

export const models: readonly { readonly asked: string; readonly target: string; readonly price: bigint }[] = [
  { asked: "small", target: "provider/small", price: 1_000n },
  { asked: "large", target: "provider/large", price: highestPrice },
  { asked: "local", target: "own/local", price: 0n },
];

/** What a request of middling size uses, by meter: limits are some multiple of it. */
const typical: Readonly<Record<Meter, number>> = { money: 1_500_000, tokens: 600, requests: 1, slots: 1 };

const kinds: readonly (readonly [meter: Meter, window: AllowanceWindow])[] = [
  ["money", "minute"],
  ["money", "minute"],
  ["money", "hour"],
  ["money", "day"],
  ["money", "week"],
  ["money", "month"],
  ["money", "lifetime"],
  ["tokens", "minute"],
  ["tokens", "minute"],
  ["tokens", "day"],
  ["requests", "minute"],
  ["requests", "hour"],
  ["requests", "day"],
  ["slots", "lifetime"],
  ["slots", "lifetime"],
];

export function drawAllowances(random: Random, timeZone: string): readonly AllowanceRow[] {
  const count = random.between(1, 5);
  return Array.from({ length: count }, (_, index) => drawAllowance(random, `allowance-${index}`, timeZone));
}

export function drawAllowance(random: Random, id: string, timeZone: string): AllowanceRow {
  const [meter, window_kind] = random.pick(kinds);
  const regime = regimeOf(meter, window_kind);
  const limit = BigInt(typical[meter] * random.skewed(1, regime === "slots" ? 20 : 300));
  return {
    id,
    generation: 1,
    tenant_id: tenantId,
    name: `${meter} per ${window_kind} ${id}`,
    ...drawScope(random),
    meter,
    limit_amount: limit,
    window_kind,
    time_zone: timeZone,
    burst_amount: regime === "rate" && random.chance(0.5) ? limit / BigInt(random.between(1, 6)) + 1n : null,
    models: random.chance(0.2) ? JSON.stringify([random.pick(["small", "provider/*", "own/local"])]) : null,
    operation: random.chance(0.1) ? "chat" : null,
    mode: random.pick(["enforce", "enforce", "enforce", "enforce", "enforce", "enforce", "soft", "shadow"]),
    policy: random.pick(["expected", "strict"]),
    alert_percents: "[]",
    created_at_ms: 0,
    disabled_at_ms: null,
  };
}

type ScopeColumns = Pick<AllowanceRow, "scope" | "project_id" | "key_id" | "end_user">;

/** Often the whole tenant, so that all processes meet there. */
function drawScope(random: Random): ScopeColumns {
  const key = random.pick(keys);
  const named = random.chance(0.5);
  switch (random.pick(["tenant", "tenant", "tenant", "project", "key", "end-user"] as const)) {
    case "tenant":
      return { scope: "tenant", project_id: null, key_id: null, end_user: null };
    case "project":
      return { scope: "project", project_id: named ? key.projectId : null, key_id: null, end_user: null };
    case "key":
      return { scope: "key", project_id: null, key_id: named ? key.keyId : null, end_user: null };
    case "end-user":
      return {
        scope: "end-user",
        project_id: random.chance(0.3) ? key.projectId : null,
        key_id: null,
        end_user: named ? "ada" : null,
      };
  }
}
