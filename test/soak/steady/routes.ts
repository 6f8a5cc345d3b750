/**
 * The aliases of a steady soak, as the gateway's configuration has them. Most have two targets, of which the first is
 * struck by one fault now and then, and a fallback; every fault meets several ways of answering.
 */
import { type FaultCase, faultCases } from "./fault-cases.ts";

/** What a route does about a target that fails, by its name in the table of results. */
export type Manner = "first-output" | "window" | "complete" | "continued" | "hedged" | "least-loaded" | "sticky";

export interface FaultyRoute {
  readonly alias: string;
  readonly manner: Manner;
  readonly struck: FaultCase;
}

const settingsOf: Readonly<Record<Manner, object>> = {
  "first-output": {},
  window: { commit: { at: "window", windowTokens: 16, windowMs: 5_000 } },
  complete: { commit: { at: "complete" } },
  continued: { commit: { at: "first-output", whenBroken: "continue" } },
  hedged: { hedge: { mode: "on", afterMs: 80 } },
  "least-loaded": { balance: "least-loaded" },
  sticky: { balance: "sticky" },
};
const manners = Object.keys(settingsOf) as Manner[];

/** How many ways of answering each fault meets. */
const MANNERS_PER_FAULT = 3;

export const faultyRoutes: readonly FaultyRoute[] = faultCases.flatMap((struck, at) =>
  Array.from({ length: MANNERS_PER_FAULT }, (_, which) => {
    const manner = manners[(at + 2 * which) % manners.length] ?? "first-output";
    return { alias: `${manner}.${struck.name}`, manner, struck };
  }),
);

/** With an equal number of tokens every target answers alike, so that one can go on where another broke. */
const ANSWER = "tokens=24,ttft=uniform(1,10),rate=2000";
/** Of a target that falls silent. */
const HASTY = { switchMs: 300, firstTokenMs: 700, idleMs: 400 };

/** Of the second target of `tagged`. */
export const TAG = "eu";

type Wire = "sim" | "claude";

function script(wire: Wire, directives: string): string {
  return `${wire}/${wire === "sim" ? "sim-chat" : "sim-claude"}:${directives}`;
}

function faultyRoute({ alias, manner, struck }: FaultyRoute, at: number): [string, object] {
  const [wire, other]: [Wire, Wire] = at % 2 === 0 ? ["sim", "claude"] : ["claude", "sim"];
  const pace = manner === "hedged" ? ANSWER.replace("uniform(1,10)", "exponential(50)") : ANSWER;
  const faulty = struck.isNowhere
    ? `nowhere/sim-chat:${pace},tag=${alias}`
    : script(wire, `${pace},tag=${alias},${struck.directives}`);
  return [
    alias,
    {
      targets: [
        { model: faulty, weight: 3, ...(struck.isSilent ? { timeouts: HASTY } : {}) },
        { model: script(other, `${ANSWER},tag=${alias}`), weight: 1 },
      ],
      fallbacks: [script(wire, `${ANSWER},tag=${alias}.fallback`)],
      ...settingsOf[manner],
    },
  ];
}

/** Each with a purpose of its own. */
const otherRoutes: Readonly<Record<string, object>> = {
  /** Its first target never answers, so it is left alone and probed. */
  down: {
    targets: [
      { model: "sim/sim-chat:tokens=8,tag=down,status=503", weight: 3 },
      { model: "claude/sim-claude:tokens=8,tag=down", weight: 1 },
    ],
  },
  /** Breaks every other time, and can always be gone on with. */
  steadfast: {
    targets: [
      { model: script("sim", `${ANSWER},tag=steadfast,fault=cut-mid-token@5,every=2`), weight: 3 },
      { model: script("claude", `${ANSWER},tag=steadfast`), weight: 1 },
    ],
    ...settingsOf.continued,
  },
  /** Both targets are of one provider, which takes few calls at a time. */
  narrow: {
    targets: ["narrow/sim-chat:tokens=6,ttft=200,tag=one", "narrow/sim-chat:tokens=6,ttft=200,tag=other"],
  },
  cached: {
    targets: ["sim/sim-chat:tokens=10,ttft=80,tag=cached", "claude/sim-claude:tokens=10,ttft=80,tag=cached"],
    cache: { mode: "exact", ttlMs: 3_000 },
  },
  /** Questions in other words get the same answer. */
  meaning: {
    targets: ["sim/sim-chat:tokens=10,tag=meaning", "claude/sim-claude:tokens=10,tag=meaning"],
    cache: { mode: "semantic", threshold: 0.8, ttlMs: 5_000 },
  },
  /** Who requires a tag is served by the target that hardly anybody else gets. */
  tagged: {
    targets: [
      { model: "sim/sim-chat:tokens=8,tag=tagged", weight: 1_000 },
      { model: "claude/sim-claude:tokens=8,tag=tagged", weight: 1, tags: [TAG] },
    ],
  },
  long: {
    targets: ["sim/sim-chat:tokens=3000,tag=long", "claude/sim-claude:tokens=3000,tag=long"],
  },
  vectors: {
    targets: [
      { model: `sim/sim-embed:status=503,every=3,tag=vectors`, weight: 3 },
      { model: "sim/sim-embed:tag=vectors.two", weight: 1 },
    ],
    fallbacks: ["other/sim-embed:tag=vectors.three"],
  },
};

/** `models` of the configuration. */
export const models: Readonly<Record<string, object>> = {
  ...Object.fromEntries(faultyRoutes.map(faultyRoute)),
  ...otherRoutes,
};
