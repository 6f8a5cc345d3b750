/**
 * What a plan costs: `node bench/routing.ts` prints the median of microseconds for one plan, by the kind of route.
 */
import { makeProvider, makeRequest, makeRouter } from "../test/support/routing.ts";
import type { PlanRequest } from "../src/routing/plan.ts";
import { createSystemClock } from "../src/kernel/clock.ts";

const ROUNDS = 31;
const PLANS = 20_000;

const clock = createSystemClock();
const targets = [{ model: "p/a", weight: 2 }, { model: "p/b" }, { model: "claude/c" }];
const fallbacks = [{ model: "p/d" }];
const prices = { a: { standIn: false, rates: { input: "10", output: "20" } } } as const;
const usualPrice = { standIn: false, rates: { input: "1", output: "2" } } as const;

const router = makeRouter({
  providers: [
    makeProvider("p", { tags: ["eu"], facts: { contextTokens: 128_000, maxOutputTokens: 16_384 } }),
    makeProvider("claude", { dialects: ["anthropic-messages"], facts: { lacks: ["audio"] } }),
  ],
  random: Math.random,
  load: (name) => name.length,
  priceOf: (_provider, model) => (model === "a" ? prices.a : usualPrice),
  aliases: {
    weighted: { targets, fallbacks },
    loaded: { targets, fallbacks, balance: "least-loaded" },
    sticky: { targets, fallbacks, balance: "sticky" },
    capped: { targets, fallbacks, priceCeiling: { input: "20" } },
    strict: { targets, fallbacks, priceCeiling: { input: "5" } },
  },
});

const tools = [{ type: "function", function: { name: "f" } }];
const longPrompt = { messages: [{ role: "system", content: "word ".repeat(2000) }] };

const kinds: readonly (readonly [what: string, request: PlanRequest])[] = [
  ["one target", makeRequest("p/x")],
  ["weighted, a request with tools and a bound", makeRequest("weighted", { tools, max_tokens: 100 })],
  ["least loaded", makeRequest("loaded")],
  ["sticky, a short prompt", makeRequest("sticky")],
  ["sticky, a long prompt", makeRequest("sticky", longPrompt)],
  ["a price ceiling that all are under", makeRequest("capped")],
  ["a price ceiling that one is above", makeRequest("strict")],
  ["tags required by the request", makeRequest("weighted", {}, { requires: ["eu"] })],
];

function measure(request: PlanRequest): number {
  const startedMs = clock.monotonicMs();
  for (let index = 0; index < PLANS; index++) router.plan(request);
  return ((clock.monotonicMs() - startedMs) * 1000) / PLANS;
}

const rounds = Array.from({ length: ROUNDS }, () => kinds.map(([, request]) => measure(request)));
for (const [index, [what]] of kinds.entries()) {
  const sorted = rounds.map((round) => round[index] ?? 0).toSorted((a, b) => a - b);
  process.stdout.write(`${what.padEnd(45)} ${(sorted[ROUNDS >> 1] ?? 0).toFixed(2)} µs\n`);
}
