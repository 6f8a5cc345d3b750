/**
 * What a seed stands for: how many processes, on what clocks, with which allowances, under how much traffic, and what
 * goes wrong. In a calm world messages arrive soon and processes live on; there nothing may be refused that could have
 * been served.
 */
import type { AllowanceRow } from "../model/control.ts";
import type { NetworkFaults } from "../world/network.ts";
import type { Random } from "../world/random.ts";
import { drawAllowances } from "./allowances.ts";

export type Mishap =
  | "crash"
  | "loss"
  | "restart"
  | "pause"
  | "suspend"
  | "cut"
  | "outage"
  | "jump"
  | "bank-jump"
  | "operator";

export interface PlannedMishap {
  readonly atMs: number;
  readonly kind: Mishap;
  /** How long it lasts, where it lasts. */
  readonly lastsMs: number;
}

export interface Scenario {
  readonly calm: boolean;
  /**
   * `file`: bank, ledger and journal are one database on one machine, and what is closed is delivered in the same
   * transaction. `shared`: every process is a machine with a journal of its own, whose closings are delivered later.
   */
  readonly store: "file" | "shared";
  readonly processes: number;
  readonly durationMs: number;
  /** The bank's time at the world's beginning, ms since the epoch. */
  readonly originMs: number;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly recallWaitMs: number;
  /** Mean, of one process, between bursts. */
  readonly burstGapMs: number;
  readonly burstMax: number;
  readonly allowances: readonly AllowanceRow[];
  readonly network: NetworkFaults;
  /** Clocks may be wrong by so much, either way. */
  readonly skewMsMax: number;
  /** Monotonic clocks may be fast or slow by this part. */
  readonly drift: number;
  readonly mishaps: readonly PlannedMishap[];
}

/** Moments at which windows end, in time zones where the day is then 23, 24 or 25 hours long. */
const moments: readonly (readonly [instant: string, timeZone: string])[] = [
  ["2027-03-28T00:00:00+01:00", "Europe/Berlin"],
  ["2027-03-29T00:00:00+02:00", "Europe/Berlin"],
  ["2027-03-28T01:00:00Z", "Europe/Berlin"],
  ["2027-11-01T00:00:00+01:00", "Europe/Berlin"],
  ["2028-01-01T00:00:00-05:00", "America/New_York"],
  ["2027-11-08T00:00:00-05:00", "America/New_York"],
  ["2028-03-01T00:00:00+05:45", "Asia/Kathmandu"],
  ["2027-06-14T00:00:00Z", "UTC"],
  ["2027-06-15T12:34:00Z", "UTC"],
];

export function drawScenario(random: Random): Scenario {
  const calm = random.chance(0.3);
  const store = random.chance(0.3) ? "file" : "shared";
  const durationMs = random.between(5_000, 30_000);
  const [instant, timeZone] = random.pick(moments);
  const leaseMs = random.between(2_000, 8_000);
  return {
    calm,
    store,
    processes: random.pick([1, 2, 2, 3, 3, 4, 5, 8]),
    durationMs,
    originMs: Date.parse(instant) - random.between(0, durationMs),
    leaseMs,
    pollMs: random.pick([100, 250, 250, 500]),
    recallWaitMs: random.pick([500, 1_000, 1_000, 2_000]),
    burstGapMs: random.skewed(500, 8_000),
    burstMax: random.pick([1, 2, 5, 12]),
    allowances: drawAllowances(random, timeZone),
    network: drawWeather(random, calm, store),
    skewMsMax: random.pick([0, 500, 30_000, 3_600_000]),
    drift: calm ? 0 : random.pick([0, 0.001, 0.02]),
    mishaps: drawMishaps(random, calm, durationMs, leaseMs),
  };
}

const fairWeather: NetworkFaults = {
  delayMsMin: 0.2,
  delayMsMax: 4,
  stallChance: 0,
  stallMsMax: 0,
  lossChance: 0,
  repeatChance: 0,
};

function drawWeather(random: Random, calm: boolean, store: Scenario["store"]): NetworkFaults {
  if (store === "file") return fairWeather;
  if (calm) return { ...fairWeather, repeatChance: random.pick([0, 0.1]) };
  const rough = random.chance(0.5);
  return {
    delayMsMin: 0.2,
    delayMsMax: random.pick([4, 40, 200]),
    stallChance: rough ? 0.05 : 0.005,
    stallMsMax: random.pick([500, 4_000]),
    lossChance: random.pick([0, 0.01, 0.1]),
    repeatChance: random.pick([0, 0.01, 0.1]),
  };
}

const mishaps: readonly Mishap[] = [
  "crash",
  "loss",
  "restart",
  "pause",
  "suspend",
  "cut",
  "outage",
  "jump",
  "bank-jump",
  "operator",
];

function drawMishaps(random: Random, calm: boolean, durationMs: number, leaseMs: number): readonly PlannedMishap[] {
  const kinds: readonly Mishap[] = calm ? ["operator", "jump"] : mishaps.filter(() => random.chance(0.5));
  if (kinds.length === 0) return [];
  const count = calm ? random.between(0, 2) : random.between(1, 8);
  return Array.from({ length: count }, () => ({
    atMs: random.unit() * durationMs,
    kind: random.pick(kinds),
    lastsMs: random.chance(0.5) ? random.skewed(50, leaseMs) : random.between(leaseMs, 3 * leaseMs),
  }));
}
