/** What a target that fails for a share of its calls comes to for callers: twenty requests a second on a virtual clock. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Random } from "../../../test/simulation/world/random.ts";
import { createVirtualClock, type VirtualClock } from "../../../test/support/virtual-clock.ts";
import { defaultConfig, defaultModel } from "../../config/defaults.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import { createTargetsHealth } from "../../routing/health/create-health.ts";
import type { CallInHealth } from "../../routing/health/health.ts";
import type { Plan, Target } from "../../routing/plan.ts";
import { Itinerary } from "./itinerary.ts";
import type { Stop } from "./place.ts";

const REQUESTS = 1_200;
const BETWEEN_MS = 50;
/** Failures are quick, answers are not. */
const FAILS_AFTER_MS = 30;
const ANSWERS_AFTER_MS = 350;

interface Outage {
  /** By target: whether a call at that time fails. */
  readonly fails: Readonly<Record<string, (nowMs: number, random: Random) => boolean>>;
  readonly attemptsMax?: number;
  readonly retryAfterMs?: number;
}

interface Course {
  /** Of 100 requests. */
  answered: number;
  /** For 100 requests, of the first target. */
  calls: number;
}

const config = defaultConfig();

function createTarget(name: string): Target {
  return {
    provider: name,
    name,
    dialect: "openai-chat",
    facts: { model: name, maxOutputTokens: null, quirks: {} },
    timeouts: config.timeouts,
    queue: config.queue,
    isFallback: false,
    contextTokens: null,
  };
}

function runThrough({ fails, attemptsMax = 4, retryAfterMs }: Outage): Course {
  const clock = createVirtualClock();
  const random = new Random(1);
  const unit = (): number => random.unit();
  const health = createTargetsHealth({ random: unit }, config);
  const targets = Object.keys(fails).map(createTarget);
  const policy = { ...defaultModel(), retries: { ...config.retries, attemptsMax } };
  const plan: Plan = { asked: "m", targets, policy };
  const queues = { find: () => null, slowed: { find: () => null } };
  const failure = new HeadgateError(
    "upstream_failed",
    "It failed.",
    retryAfterMs === undefined ? {} : { retryAfterMs },
  );
  const counts = { answered: 0, calls: 0 };

  function go(way: Itinerary): void {
    const stop = way.next();
    if (stop !== null) clock.setTimer(() => begin(way, stop), stop.waitMs);
  }
  function begin(way: Itinerary, { target }: Stop): void {
    const call = health.target(target.name).begin(false, clock.monotonicMs());
    if (call === null) return;
    way.called(target);
    if (target === targets[0]) counts.calls++;
    const isFailing = fails[target.name]?.(clock.monotonicMs(), random) === true;
    if (isFailing) clock.setTimer(() => fail(way, target, call), FAILS_AFTER_MS);
    else clock.setTimer(() => answer(call), ANSWERS_AFTER_MS);
  }
  function fail(way: Itinerary, target: Target, call: CallInHealth): void {
    call.ended({ kind: "failed", retryAfterMs: retryAfterMs ?? null }, clock.monotonicMs());
    way.failed({ target, verdict: "again", failure, credential: "k", hasOtherCredential: false });
    go(way);
  }
  function answer(call: CallInHealth): void {
    call.ended({ kind: "answered", firstOutputMs: null, totalMs: ANSWERS_AFTER_MS }, clock.monotonicMs());
    counts.answered++;
  }

  for (let request = 0; request < REQUESTS; request++) {
    go(new Itinerary({ health, clock, random: unit, queues }, plan, { dueMs: () => Infinity }, false));
    clock.advance(BETWEEN_MS);
  }
  clock.advance(60_000);
  assertAllEnded(clock);
  return { answered: (counts.answered * 100) / REQUESTS, calls: (counts.calls * 100) / REQUESTS };
}

function assertAllEnded(clock: VirtualClock): void {
  assert.equal(clock.pendingCount, 0);
}

const failsFor = (percent: number) => (_: number, random: Random) => random.chance(percent / 100);
const healthy = (): boolean => false;

describe("the only target", () => {
  for (const [percent, least] of [
    [10, 99],
    [30, 80],
    [50, 55],
    [70, 30],
    [90, 4],
  ] as const) {
    test(`that fails ${percent} of 100 calls answers at least ${least} of 100 requests`, () => {
      const { answered, calls } = runThrough({ fails: { a: failsFor(percent) } });
      assert.ok(answered >= least, `${answered} answered with ${calls} calls`);
    });
  }

  test("answers as many as if nobody watched it, where a request has one call only", () => {
    for (const percent of [10, 30, 50, 70]) {
      const { answered } = runThrough({ fails: { a: failsFor(percent) }, attemptsMax: 1 });
      assert.ok(answered >= 0.9 * (100 - percent), `${answered} of 100 - ${percent}`);
    }
  });

  test("that fails a third of its calls is called also when each of these asks for ten seconds", () => {
    const { answered } = runThrough({ fails: { a: failsFor(30) }, retryAfterMs: 10_000 });
    assert.ok(answered >= 65, `${answered} answered`);
  });

  test("that answers nobody gets few calls", () => {
    const { answered, calls } = runThrough({ fails: { a: failsFor(100) } });
    assert.ok(answered === 0 && calls <= 4, `${calls} calls for 100 requests`);
  });

  test("that answers nobody for twenty seconds answers all others", () => {
    const { answered } = runThrough({ fails: { a: (nowMs) => nowMs >= 20_000 && nowMs < 40_000 } });
    assert.ok(answered >= 55, `${answered} answered of 67`);
  });

  test("that is away for a second now and then answers most of those who come in between", () => {
    const { answered } = runThrough({ fails: { a: (nowMs) => nowMs % 10_000 >= 9_000 } });
    assert.ok(answered >= 75, `${answered} answered of 90`);
  });
});

describe("with another target", () => {
  test("all are answered, and the worse the first one is, the fewer of its calls fail", () => {
    for (const [percent, most] of [
      [10, 101],
      [30, 101],
      [50, 30],
      [70, 8],
      [90, 4],
      [100, 4],
    ] as const) {
      const { answered, calls } = runThrough({ fails: { a: failsFor(percent), b: healthy } });
      assert.ok(answered === 100 && calls <= most, `${percent}: ${answered} answered, ${calls} calls`);
    }
  });

  test("that fails as often, more are answered than by one", () => {
    for (const [percent, least] of [
      [30, 95],
      [50, 80],
      [70, 50],
    ] as const) {
      const { answered } = runThrough({ fails: { a: failsFor(percent), b: failsFor(percent) } });
      assert.ok(answered >= least, `${percent}: ${answered} answered`);
    }
  });
});
