import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultConfig, defaultModel } from "../../config/defaults.ts";
import type { RetriesConfig } from "../../config/config.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import type { LeftAloneFor, TargetHealth, TargetsHealth } from "../../routing/health/health.ts";
import type { Plan, Target } from "../../routing/plan.ts";
import { Itinerary, type Setback } from "./itinerary.ts";
import type { Verdict } from "./verdict.ts";
import { createUnwatchedHealth } from "../../../test/support/unwatched-health.ts";

interface Setting {
  readonly targets: readonly Target[];
  readonly retries?: Partial<RetriesConfig>;
  readonly dueMs?: number;
  readonly attemptsMax?: number;
  readonly health?: TargetsHealth;
  /** By the target's name. */
  readonly hasRoom?: (name: string) => boolean;
  /** When the turn of a slowed one comes, by its name. */
  readonly turns?: Readonly<Record<string, number>>;
  readonly isRetry?: boolean;
}

function target(name: string, more: Partial<Target> = {}): Target {
  return {
    provider: "p",
    name,
    dialect: "openai-chat",
    facts: { model: name, maxOutputTokens: null, quirks: {} },
    timeouts: defaultConfig().timeouts,
    queue: defaultConfig().queue,
    isFallback: false,
    contextTokens: null,
    ...more,
  };
}

const a = target("a");
const b = target("b");
const spare = target("spare", { isFallback: true });

/** At time 0, where the backoff is always the longest. */
function itinerary(setting: Setting): Itinerary {
  const {
    targets,
    retries,
    dueMs = Infinity,
    attemptsMax = 4,
    health,
    hasRoom = () => true,
    turns = {},
    isRetry = false,
  } = setting;
  const model = defaultModel();
  const policy = { ...model, retries: { ...defaultConfig().retries, attemptsMax, ...retries } };
  const plan: Plan = { asked: "m", targets, policy };
  const clock = { monotonicMs: () => 0 };
  const slowed = {
    find(_: string, model: string) {
      const turnMs = turns[model];
      return turnMs === undefined ? null : { turnMs: () => turnMs };
    },
  };
  const queues = { find: (_: string, model: string) => ({ hasRoom: hasRoom(model) }), slowed };
  const deps = { health: health ?? createUnwatchedHealth(), clock, random: () => 1, queues };
  return new Itinerary(deps, plan, { dueMs: () => dueMs }, isRetry);
}

function setback(at: Target, verdict: Verdict, more: Partial<Setback> = {}): Setback {
  const failure = new HeadgateError("upstream_failed", "It failed.");
  return { target: at, verdict, failure, credential: "k", hasOtherCredential: false, ...more };
}

/** Follows it to its end: `a+0` for a call of `a` at once. */
function route(way: Itinerary, verdict: Verdict, more: Partial<Setback> = {}): string[] {
  const stops: string[] = [];
  for (let stop = way.next(); stop !== null; stop = way.next()) {
    stops.push(`${stop.target.name}+${stop.waitMs}`);
    way.called(stop.target);
    way.failed(setback(stop.target, verdict, more));
  }
  return stops;
}

/** Left alone until then. */
function away(untilMs: number, reason: LeftAloneFor = "failures", isProbed = true): Partial<TargetHealth> {
  return {
    availableAtMs: () => untilMs,
    lastResortAtMs: () => untilMs,
    leftAlone: () => ({ reason, untilMs, isProbed }),
  };
}

function healthWith(away: Readonly<Record<string, Partial<TargetHealth>>>): TargetsHealth {
  const usual = createUnwatchedHealth();
  return { ...usual, target: (name) => ({ ...usual.target(name), ...away[name] }) };
}

test("one target is called again after a wait that doubles, as often as attempts go", () => {
  assert.deepEqual(route(itinerary({ targets: [a] }), "again"), ["a+0", "a+500", "a+1000", "a+2000"]);
});

test("another target comes at once, and only then the first one again", () => {
  assert.deepEqual(route(itinerary({ targets: [a, b] }), "again"), ["a+0", "b+0", "a+500", "b+500"]);
});

test("one call is always left for the declared fallbacks, which are not kept waiting for long backoffs of others", () => {
  const short = { backoffMs: 100 };
  assert.deepEqual(route(itinerary({ targets: [a, spare], retries: short }), "again"), [
    "a+0",
    "a+100",
    "a+200",
    "spare+0",
  ]);
  const long = { backoffMs: 2_000 };
  assert.deepEqual(route(itinerary({ targets: [a, spare], retries: long }), "again").slice(0, 2), ["a+0", "spare+0"]);
  assert.deepEqual(route(itinerary({ targets: [a, spare], attemptsMax: 2 }), "again"), ["a+0", "spare+0"]);
  assert.deepEqual(route(itinerary({ targets: [a, spare] }), "elsewhere"), ["a+0", "spare+0"]);
});

test("a silent or incapable target is not called again", () => {
  assert.deepEqual(route(itinerary({ targets: [a, b] }), "elsewhere"), ["a+0", "b+0"]);
});

test("a final failure ends it, whatever else there is", () => {
  assert.deepEqual(route(itinerary({ targets: [a, b, spare] }), "final"), ["a+0"]);
});

test("what the provider asks for is waited for at the least, up to the longest backoff; a longer wait is the caller's", () => {
  const after = (retryAfterMs: number) => ({
    failure: new HeadgateError("upstream_rate_limited", "x", { retryAfterMs }),
  });
  assert.deepEqual(route(itinerary({ targets: [a], attemptsMax: 2 }), "limited", after(3_000)), ["a+0", "a+3000"]);
  assert.deepEqual(route(itinerary({ targets: [a] }), "limited", after(60_000)), ["a+0"]);
  assert.deepEqual(route(itinerary({ targets: [a, b] }), "limited", after(60_000)), ["a+0", "b+0"]);
});

test("without a backoff the same target is called again at once", () => {
  const retries = { backoffMs: 0, backoffMaxMs: 0 };
  assert.deepEqual(route(itinerary({ targets: [a], retries, attemptsMax: 3 }), "again"), ["a+0", "a+0", "a+0"]);
});

test("a wait that does not fit the deadline is not begun", () => {
  assert.deepEqual(route(itinerary({ targets: [a], dueMs: 800 }), "again"), ["a+0", "a+500"]);
});

test("another credential of the same target comes before another target", () => {
  const way = itinerary({ targets: [a, b] });
  way.called(a);
  way.failed(setback(a, "credential", { credential: "k1", hasOtherCredential: true }));
  assert.deepEqual(way.next(), { target: a, waitMs: 0, triedCredentials: ["k1"], passedOver: [] });
  way.called(a);
  way.failed(setback(a, "credential", { credential: "k2" }));
  assert.equal(way.next()?.target.name, "b");
});

test("one call is left for another target, however many credentials there are", () => {
  const others = { credential: "k", hasOtherCredential: true };
  assert.deepEqual(route(itinerary({ targets: [a, spare] }), "credential", others), ["a+0", "a+0", "a+0", "spare+0"]);
  const health = healthWith({ a: { spendRetry: () => false } });
  assert.deepEqual(route(itinerary({ targets: [a, b], health }), "limited", others).slice(0, 3), ["a+0", "a+0", "b+0"]);
});

test("with no time left nobody is called", () => {
  assert.deepEqual(route(itinerary({ targets: [a, b], dueMs: 1 }), "elsewhere"), []);
  assert.deepEqual(
    [1, 3].map((dueMs) => itinerary({ targets: [a], dueMs }).isTooLate),
    [true, false],
  );
});

test("a credential that was refused is not tried again, one that was limited is", () => {
  const way = itinerary({ targets: [a] });
  way.called(a);
  way.failed(setback(a, "credential", { credential: "refused", hasOtherCredential: true }));
  assert.deepEqual(way.next()?.triedCredentials, ["refused"]);
  way.called(a);
  way.failed(setback(a, "limited", { credential: "limited" }));
  assert.deepEqual(way.next(), { target: a, waitMs: 1_000, triedCredentials: ["refused"], passedOver: [] });
});

test("a prompt that is too long goes to windows known to be larger, then to unknown ones, and to no others", () => {
  const small = target("small", { contextTokens: 8_000 });
  const same = target("same", { contextTokens: 8_000 });
  const large = target("large", { contextTokens: 200_000, isFallback: true });
  const unknown = target("unknown");
  const way = itinerary({ targets: [small, same, unknown, large] });
  assert.deepEqual(route(way, "larger"), ["small+0", "large+0", "unknown+0"]);
  assert.deepEqual(route(itinerary({ targets: [unknown, small, same] }), "larger"), ["unknown+0", "small+0"]);
  assert.deepEqual(route(itinerary({ targets: [small, same] }), "larger"), ["small+0"]);
});

test("a model that found the prompt too long is not asked at another provider, unless its window there is known to be larger", () => {
  const facts = { model: "m", maxOutputTokens: null, quirks: {} };
  const there = target("there/m", { facts });
  const larger = target("larger/m", { facts, contextTokens: 100_000 });
  const other = target("other", { isFallback: true });
  const targets = [target("here/m", { facts }), there, larger, other];
  assert.deepEqual(route(itinerary({ targets }), "larger"), ["here/m+0", "larger/m+0", "other+0"]);
});

test("one whose window is unknown is tried once, in place of a larger one that is left alone", () => {
  const small = target("small", { contextTokens: 8_000 });
  const large = target("large", { contextTokens: 200_000 });
  const health = healthWith({ large: away(60_000) });
  const way = itinerary({ targets: [small, large, a], health });
  way.called(small);
  way.failed(setback(small, "larger"));
  const stop = way.next();
  assert.deepEqual([stop?.target.name, stop?.passedOver.map(({ target: name }) => name)], ["a", ["large"]]);
  way.called(a);
  way.failed(setback(a, "larger"));
  assert.equal(way.next(), null);
});

test("targets that are left alone are passed over, and where all are the request is refused with the time until one is not", () => {
  const health = healthWith({ a: away(7_000), b: away(3_000) });
  assert.deepEqual(route(itinerary({ targets: [a, spare], health }), "elsewhere"), ["spare+0"]);
  const way = itinerary({ targets: [a, b], health });
  assert.equal(way.next(), null);
  const { code, retryAfterMs, message } = way.refusal();
  assert.deepEqual([code, retryAfterMs], ["target_unavailable", 3_000]);
  assert.match(message, /^a is left alone .* have failed of late; b is left alone .* Try again in 3 s\.$/);
});

test("one that is left alone, but still answers now and then, is called when no other is left, and called again", () => {
  const unreliable = { ...away(7_000), lastResortAtMs: () => 0 };
  const health = healthWith({ a: unreliable, c: away(7_000) });
  const targets = [a, b, target("c"), spare];
  assert.deepEqual(route(itinerary({ targets, health, attemptsMax: 3 }), "elsewhere"), ["b+0", "spare+0", "a+0"]);
  assert.deepEqual(route(itinerary({ targets: [a], health, attemptsMax: 2 }), "again"), ["a+0", "a+500"]);
  const passedOver = itinerary({ targets, health }).next()?.passedOver ?? [];
  assert.deepEqual(
    passedOver.map((each) => `${each.target} ${each.code}`),
    ["a target_unavailable"],
  );
});

test("the request is refused as limited where the one that comes back first is left alone for a 429", () => {
  const limited = away(3_000, "rate-limit");
  const refusalOf = (others: Readonly<Record<string, Partial<TargetHealth>>>): HeadgateError =>
    itinerary({ targets: [a, b], health: healthWith({ a: limited, ...others }) }).refusal();
  const refusal = refusalOf({ b: away(7_000) });
  assert.deepEqual([refusal.code, refusal.status, refusal.retryAfterMs], ["target_limited", 429, 3_000]);
  assert.match(refusal.message, /a is left alone .* limits the rate; b .* have failed/);
  assert.equal(refusalOf({ b: away(2_000) }).code, "target_unavailable");
});

test("the probes of a target that is still left alone are over in a moment", () => {
  const probed = {
    availableAtMs: () => 60_000,
    leftAlone: () => ({ reason: "failures", untilMs: -5, isProbed: true }) as const,
  };
  const { retryAfterMs } = itinerary({ targets: [a], health: healthWith({ a: probed }) }).refusal();
  assert.equal(retryAfterMs, 1_000);
});

test("a pause that a 429 has asked for is waited for like a backoff, and not if only probes may leave after it", () => {
  const waited = (pausedMs: number, isProbed: boolean, dueMs = Infinity): readonly string[] => {
    const health = healthWith({ a: away(pausedMs, "rate-limit", isProbed) });
    return route(itinerary({ targets: [a], health, dueMs }), "elsewhere");
  };
  assert.deepEqual(waited(4_000, false), ["a+4000"]);
  assert.deepEqual(waited(8_001, false), []);
  assert.deepEqual(waited(4_000, false, 3_000), []);
  assert.deepEqual(waited(4_000, true), []);
});

test("a target that is left alone for a moment only is waited for", () => {
  const health = healthWith({ a: away(400) });
  assert.deepEqual(route(itinerary({ targets: [a], health }), "elsewhere"), ["a+400"]);
  assert.deepEqual(route(itinerary({ targets: [a, b], health }), "elsewhere"), ["b+0", "a+400"]);
  assert.deepEqual(route(itinerary({ targets: [a], health, dueMs: 300 }), "elsewhere"), []);
});

test("a fallback that is free is not kept waiting for a target that is back in a moment", () => {
  const health = healthWith({ a: away(900) });
  assert.deepEqual(route(itinerary({ targets: [a, spare], health }), "elsewhere"), ["spare+0", "a+900"]);
});

test("a target that has room comes before one whose callers wait, which is still better than none", () => {
  const hasRoom = (name: string): boolean => name !== "a";
  assert.deepEqual(route(itinerary({ targets: [a, b], hasRoom }), "elsewhere"), ["b+0", "a+0"]);
  assert.deepEqual(route(itinerary({ targets: [a], hasRoom }), "elsewhere"), ["a+0"]);
});

test("a request that an SDK repeats spends for that, too, but only once it needs more", () => {
  const spent: number[] = [];
  const health = healthWith({ a: { spendRetry: (percent) => spent.push(percent) > 0 } });
  assert.deepEqual(route(itinerary({ targets: [a], health, isRetry: true, attemptsMax: 3 }), "again"), [
    "a+0",
    "a+500",
    "a+1000",
  ]);
  assert.equal(spent.length, 3);
  const broke = healthWith({ a: { spendRetry: () => false } });
  assert.deepEqual(route(itinerary({ targets: [a, b], health: broke, isRetry: true }), "elsewhere"), ["a+0", "b+0"]);
});

test("without a retry budget nothing is called again, but other targets are", () => {
  const spent = { spendRetry: () => false };
  const health = healthWith({ a: spent, b: spent });
  assert.deepEqual(route(itinerary({ targets: [a, b], health }), "again"), ["a+0", "b+0"]);
  const way = itinerary({ targets: [a, b], health });
  assert.equal(way.beside(false), null, "a hedge needs a budget");
  assert.equal(way.beside(true)?.target.name, "a", "leaving a silent target does not");
});

test("beside a silent target an uncalled one is called", () => {
  const way = itinerary({ targets: [a, b] });
  way.called(a);
  assert.equal(way.beside(false)?.target.name, "b");
  way.called(b);
  assert.equal(way.beside(false), null);
});

test("a target that may be called now is called, although time goes on between two looks at the clock", () => {
  let nowMs = 0;
  const clock = { monotonicMs: () => (nowMs += 0.001) };
  const deps = {
    health: createUnwatchedHealth(),
    clock,
    random: () => 1,
    queues: { find: () => null, slowed: { find: () => null } },
  };
  const policy = { ...defaultModel(), retries: defaultConfig().retries };
  const way = new Itinerary(deps, { asked: "m", targets: [a, b], policy }, { dueMs: () => Infinity }, false);
  way.called(a);
  way.failed(setback(a, "again"));
  assert.deepEqual(way.next(), { target: b, waitMs: 0, triedCredentials: [], passedOver: [] });
});

test("a stop says who was passed over for it and why, each once", () => {
  const passed = (way: Itinerary): readonly string[] =>
    way.next()?.passedOver.map(({ target: name, code }) => `${name} ${code}`) ?? assert.fail("nowhere");
  const leftAlone = itinerary({ targets: [a, b, spare], health: healthWith({ a: away(60_000, "rate-limit") }) });
  assert.deepEqual(passed(leftAlone), ["a target_limited"]);
  leftAlone.called(b);
  leftAlone.failed(setback(b, "again"));
  assert.deepEqual(passed(leftAlone), [], "it was told of already");
  const crowded = itinerary({
    targets: [a, b, spare],
    hasRoom: (name) => name !== "a",
    health: healthWith({ b: away(60_000) }),
  });
  assert.deepEqual(passed(crowded), []);
  crowded.called(a);
  crowded.failed(setback(a, "elsewhere"));
  assert.deepEqual(passed(crowded), ["b target_unavailable"]);
  assert.deepEqual(passed(itinerary({ targets: [a, b], turns: { a: 1 } })), ["a target_limited"]);
});

test("a target that is slowed down comes after all that can be called at once, and before others are called again", () => {
  const turns = { a: 5_000 };
  assert.deepEqual(route(itinerary({ targets: [a, b], turns, attemptsMax: 3 }), "again"), ["b+0", "a+0", "b+500"]);
  assert.deepEqual(route(itinerary({ targets: [a, spare], turns, attemptsMax: 2 }), "again"), ["spare+0", "a+0"]);
  assert.deepEqual(route(itinerary({ targets: [a], turns }), "elsewhere"), ["a+0"], "its line is waited in");
});

test("a target that is slowed down is called again as long as its turn comes within the longest wait", () => {
  const twice = { attemptsMax: 2, retries: { backoffMaxMs: 8_000 } };
  assert.deepEqual(route(itinerary({ targets: [a], turns: { a: 8_000 }, ...twice }), "limited"), ["a+0", "a+500"]);
  assert.deepEqual(route(itinerary({ targets: [a], turns: { a: 8_001 }, ...twice }), "limited"), ["a+0"]);
});

test("one that is slowed down is no target for a hedge, but better than one that is silent for too long", () => {
  const way = itinerary({ targets: [a, b], turns: { b: 200 } });
  way.called(a);
  assert.equal(way.beside(false), null);
  assert.equal(way.beside(true)?.target.name, "b");
  const spared = itinerary({ targets: [a, b, spare], turns: { b: 200 } });
  spared.called(a);
  assert.equal(spared.beside(true)?.target.name, "spare");
});

test("who was called before, or has a window that is too small, was not passed over", () => {
  const small = target("small", { contextTokens: 8_000 });
  const large = target("large", { contextTokens: 200_000 });
  const way = itinerary({ targets: [small, a, large], health: healthWith({ a: away(60_000) }) });
  way.called(small);
  way.failed(setback(small, "larger"));
  assert.deepEqual(way.next(), { target: large, waitMs: 0, triedCredentials: [], passedOver: [] });
});
