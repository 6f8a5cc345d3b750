/** Who may call the simulated gateway, and the allowances on their paths: some so small that they run out. */
import type { Allowance, Meter } from "../../../src/limits/allowance.ts";
import type { Principal } from "../../../src/tenancy/principal.ts";
import type { Random } from "../../simulation/world/random.ts";

const people = [
  { name: "ada", tenant: "tenant-1", project: "project-1" },
  { name: "ben", tenant: "tenant-1", project: "project-1" },
  { name: "dora", tenant: "tenant-1", project: "project-2" },
  { name: "cleo", tenant: "tenant-2", project: "project-3" },
] as const;

/** By API key. */
export const principals: ReadonlyMap<string, Principal> = new Map(
  people.map(({ name, tenant, project }): [string, Principal] => {
    const payer = { tenantId: tenant, projectId: project, keyId: `key-${name}` };
    return [`secret-${name}`, { payer, keyName: name, tenantName: tenant, modelAllowList: null, metadata: {} }];
  }),
);

/** What a request of middling size uses, by meter: limits are some multiple of it. */
const typical: Readonly<Record<Meter, number>> = { money: 400_000, tokens: 150, requests: 1, slots: 1 };

/** Lifetimes, so that what is spent can be compared with the whole ledger; and rates, which drain. */
const kinds: readonly (readonly [meter: Meter, window: Allowance["window"]])[] = [
  ["money", "lifetime"],
  ["money", "lifetime"],
  ["tokens", "lifetime"],
  ["tokens", "minute"],
  ["requests", "lifetime"],
  ["requests", "minute"],
  ["slots", "lifetime"],
];

export function drawAllowances(random: Random): readonly Allowance[] {
  if (random.chance(0.15)) return [];
  return Array.from({ length: random.between(1, 4) }, (_, at) => drawAllowance(random, `allowance-${at}`));
}

function drawAllowance(random: Random, id: string): Allowance {
  const { payer } = random.pick([...principals.values()]);
  const [meter, window] = random.pick(kinds);
  const isOfKey = random.chance(0.3);
  const isPlenty = random.chance(0.6);
  const { tenantId } = payer;
  return {
    id,
    name: `${meter} ${window} ${id}`,
    scope: isOfKey
      ? { kind: "key", tenantId, projectId: payer.projectId, keyId: payer.keyId, endUser: null }
      : { kind: "tenant", tenantId, projectId: null, keyId: null, endUser: null },
    meter,
    limit: BigInt(typical[meter]) * BigInt(isPlenty ? 1_000_000 : random.skewed(1, meter === "slots" ? 10 : 60)),
    window,
    timeZone: "UTC",
    burst: null,
    models: null,
    operation: null,
    mode: random.pick(["enforce", "enforce", "enforce", "soft", "shadow"]),
    policy: random.pick(["expected", "strict"]),
    alertPercents: [],
    createdAtMs: 0,
    disabledAtMs: null,
  };
}
