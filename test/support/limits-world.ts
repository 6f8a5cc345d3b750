/**
 * Processes with the process's side of escrow over one bank in memory, on one virtual clock, for tests of src/limits.
 * Nothing happens but when the test says so: `flush` lets pass what takes no time, `advance` lets time pass.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { toNanoUsd } from "../../src/kernel/money.ts";
import { toAllowanceRow } from "../../src/limits/allowance-row.ts";
import type { Allowance } from "../../src/limits/allowance.ts";
import { createLimits, type LimitsDeps } from "../../src/limits/create-limits.ts";
import type { Demand, Estimate, Limits, RequestScope } from "../../src/limits/limits.ts";
import { MemoryBank } from "./memory-bank.ts";
import { createVirtualClock, type VirtualClock } from "./virtual-clock.ts";

/** Of each timer step. */
const STEP_MS = 50;
const STEPS_MAX = 2_400;

export interface LimitsWorld {
  readonly clock: VirtualClock;
  readonly bank: MemoryBank;
  /** What happened, as `fenced own_…`. */
  readonly events: string[];
  /** Adds an allowance, or says something else about it: default `anAllowance`. */
  allow(allowance: Partial<Allowance>): Allowance;
  open(deps?: Partial<LimitsDeps>): Promise<Limits>;
  flush(): Promise<void>;
  advance(ms: number): Promise<void>;
  /** Lets time pass until the promise is settled. */
  until<Value>(promise: PromiseLike<Value>): Promise<Value>;
}

export const aScope: RequestScope = {
  payer: { tenantId: "ten_1", projectId: "prj_1", keyId: "key_1" },
  endUser: null,
  operation: "chat",
  modelAsked: "gpt-5-mini",
  modelTarget: "openai/gpt-5-mini",
};

export const anAllowance: Allowance = {
  id: "alw_1",
  name: "monthly",
  scope: { kind: "tenant", tenantId: "ten_1", projectId: null, keyId: null, endUser: null },
  meter: "money",
  limit: 1_000n,
  window: "lifetime",
  timeZone: "UTC",
  burst: null,
  models: null,
  operation: null,
  mode: "enforce",
  policy: "strict",
  alertPercents: [],
  createdAtMs: 0,
  disabledAtMs: null,
};

export function demand(costNanoUsd: bigint | number, tokens = 0): Demand {
  return { costNanoUsd: toNanoUsd(BigInt(costNanoUsd)), tokens };
}

/** `expected`: default, the worst case. */
export function estimate(worst: Demand, expected: Demand = worst): Estimate {
  return { expected, worst };
}

/** `wallMs`: where time begins, for the bank too. */
export function createLimitsWorld(wallMs?: number): LimitsWorld {
  const clock = createVirtualClock(wallMs);
  const bank = new MemoryBank(() => clock.wallMs());
  /** What processes read; the bank may know better. */
  const known = new Map<string, Allowance>();
  const events: string[] = [];
  let generation = 1;
  let idCount = 0;
  const reader = {
    generation: () => generation,
    ofTenant: (tenantId: string) =>
      [...known.values()]
        .filter(({ scope }) => scope.tenantId === tenantId)
        .map((allowance) => toAllowanceRow(allowance, generation)),
  };
  const ids = { next: (prefix: string) => `${prefix}_${++idCount}` };
  const change = (allowance: Allowance): Allowance => {
    bank.allowances.set(allowance.id, allowance);
    known.set(allowance.id, allowance);
    generation++;
    return allowance;
  };
  const advance = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= STEP_MS) {
      clock.advance(Math.min(left, STEP_MS));
      await nextTurn();
    }
  };
  return {
    clock,
    bank,
    events,
    allow: (given) => change({ ...anAllowance, ...known.get(given.id ?? anAllowance.id), ...given }),
    open: (deps) =>
      createLimits({
        bank,
        allowances: reader,
        clock,
        ids,
        instanceId: "ins_1",
        events: {
          softLimitPassed: ({ name }, subject) => events.push(`soft limit passed: ${name} ${subject}`),
          shadowRefusal: ({ name }, subject) => events.push(`shadow refusal: ${name} ${subject}`),
          bankUnreachable: (cause) => events.push(`unreachable: ${String(cause)}`),
          bankReachable: () => events.push("reachable"),
          fenced: (ownerId) => events.push(`fenced ${ownerId}`),
        },
        delivered: () => Promise.resolve(),
        ...deps,
      }),
    flush: async () => {
      await nextTurn();
    },
    advance: (ms) => advance(ms),
    async until(promise) {
      let isSettled = false;
      const settled = (): void => {
        isSettled = true;
      };
      promise.then(settled, settled);
      await nextTurn();
      for (let step = 0; step < STEPS_MAX && !isSettled; step++) await advance(STEP_MS);
      if (!isSettled) throw new Error(`Not settled within ${STEPS_MAX * STEP_MS} ms.`);
      return Promise.resolve(promise);
    },
  };
}
