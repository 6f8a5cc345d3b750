/**
 * What admission costs when everything is in hand: `node bench/admission.ts` prints microseconds of one reservation and its
 * settlement with 0, 1 and 10 allowances on the path, medians of interleaved rounds in one process.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Allowance, AllowanceWindow, Meter } from "../src/limits/allowance.ts";
import { toAllowanceRow } from "../src/limits/allowance-row.ts";
import { createLimits } from "../src/limits/create-limits.ts";
import type { Demand, Estimate, Limits, RequestScope } from "../src/limits/limits.ts";
import { createSystemClock } from "../src/kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../src/kernel/ids.ts";
import { toNanoUsd } from "../src/kernel/money.ts";
import { MemoryBank } from "../test/support/memory-bank.ts";

const ROUNDS = 15;
const BATCHES = 50;
/** Served in one turn of the event loop, from what was drawn before it. */
const REQUESTS = 1_000;
/** Of a tenant, a project and a key: budgets, rates and slots. */
const kinds: readonly (readonly [Meter, AllowanceWindow])[] = [
  ["money", "month"],
  ["tokens", "minute"],
  ["requests", "minute"],
  ["slots", "lifetime"],
  ["money", "day"],
  ["tokens", "day"],
  ["requests", "hour"],
  ["money", "lifetime"],
  ["money", "week"],
  ["slots", "lifetime"],
];

const clock = createSystemClock();
const scope: RequestScope = {
  payer: { tenantId: "ten_1", projectId: "prj_1", keyId: "key_1" },
  endUser: null,
  operation: "chat",
  modelAsked: "gpt-5-mini",
  modelTarget: "openai/gpt-5-mini",
};
const estimate: Estimate = { expected: demand(2_000_000n, 800), worst: demand(90_000_000n, 20_000) };
const used = demand(1_200_000n, 512);

/** What is held is read once, as the journal does. */
let heldCount = 0;
let moveCount = 0;
const counts = [0, 1, 10];
const gateways = await Promise.all(counts.map(open));
const times: number[][] = counts.map(() => []);
for (let round = -2; round < ROUNDS; round++) {
  for (const [index, limits] of gateways.entries()) {
    const us = await measure(limits);
    if (round >= 0) times[index]?.push(us);
  }
}
for (const [index, count] of counts.entries()) {
  const sorted = (times[index] ?? []).toSorted((a, b) => a - b);
  const [least, median, most] = [0, Math.floor(ROUNDS / 2), ROUNDS - 1].map((at) => (sorted[at] ?? 0).toFixed(3));
  console.log(`${String(count).padStart(2)} allowances: ${median} µs a request (${least} to ${most})`);
}
for (const limits of gateways) await limits[Symbol.asyncDispose]();

async function measure(limits: Limits): Promise<number> {
  let totalMs = 0;
  for (let batch = 0; batch < BATCHES; batch++) {
    // A turn of the event loop, in which leases are renewed.
    await nextTurn();
    const before = await Promise.all(Array.from({ length: REQUESTS }, async () => limits.reserve(scope, estimate)));
    for (const reservation of before) {
      reservation.settle(null);
      reservation.committed();
    }
    const startedMs = clock.monotonicMs();
    for (let request = 0; request < REQUESTS; request++) serve(limits);
    totalMs += clock.monotonicMs() - startedMs;
  }
  return (totalMs * 1000) / (BATCHES * REQUESTS);
}

function serve(limits: Limits): void {
  const reservation = limits.reserve(scope, estimate);
  if (reservation instanceof Promise) throw new Error("Not everything was in hand.");
  heldCount += reservation.heldAmounts.length;
  moveCount += reservation.settle(used).length;
  reservation.committed();
}

async function open(count: number): Promise<Limits> {
  const allowances = kinds.slice(0, count).map(([meter, window], index) => toAllowance(meter, window, index));
  const bank = new MemoryBank(() => clock.wallMs());
  for (const allowance of allowances) bank.allowances.set(allowance.id, allowance);
  const rows = allowances.map((allowance) => toAllowanceRow(allowance, 1));
  return createLimits({
    bank,
    allowances: { generation: () => 1, ofTenant: () => rows },
    clock,
    ids: createIdSource(systemRandomFill, () => clock.wallMs()),
    instanceId: "ins_1",
    events: {
      softLimitPassed() {},
      shadowRefusal() {},
      bankUnreachable() {},
      bankReachable() {},
      fenced() {},
    },
    delivered: () => Promise.resolve(),
  });
}

function demand(costNanoUsd: bigint, tokens: number): Demand {
  return { costNanoUsd: toNanoUsd(costNanoUsd), tokens };
}

function toAllowance(meter: Meter, window: AllowanceWindow, index: number): Allowance {
  return {
    id: `alw_${index}`,
    name: `${meter}-${window}-${index}`,
    scope: { kind: "project", tenantId: "ten_1", projectId: "prj_1", keyId: null, endUser: null },
    meter,
    limit: 4_000_000_000_000_000_000n,
    window,
    timeZone: "Europe/Berlin",
    burst: null,
    models: null,
    operation: null,
    mode: "enforce",
    policy: index % 2 === 0 ? "expected" : "strict",
    alertPercents: [],
    createdAtMs: 0,
    disabledAtMs: null,
  };
}
