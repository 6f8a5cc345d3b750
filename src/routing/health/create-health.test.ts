import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HealthConfig } from "../../config/config.ts";
import { createTargetsHealth } from "./create-health.ts";
import type { CallOutcome, TargetHealth, TargetsHealth } from "./health.ts";

const rules: HealthConfig = {
  failuresInRow: 3,
  failurePercent: 50,
  windowMs: 30_000,
  openMs: 5_000,
  openMaxMs: 60_000,
  probes: 1,
  adaptiveConcurrency: "off",
};
const failed: CallOutcome = { kind: "failed", retryAfterMs: null };
const whole: CallOutcome = { kind: "answered", firstOutputMs: null, totalMs: 2_000 };

function createHealth(given: Partial<HealthConfig> = {}): TargetsHealth {
  return createTargetsHealth({ random: () => 0 }, { health: { ...rules, ...given } });
}

function call(target: TargetHealth, outcome: CallOutcome, nowMs: number, stream = false): void {
  const begun = target.begin(stream, nowMs);
  assert.ok(begun !== null);
  begun.ended(outcome, nowMs);
}

describe("the health of a target", () => {
  test("is the same for all who ask by its name, and another for another name", () => {
    const health = createHealth();
    for (let failure = 0; failure < 3; failure++) call(health.target("a/m"), failed, 0);
    assert.deepEqual(
      [
        health.target("a/m").begin(false, 1),
        health.target("a/m").availableAtMs(1),
        health.target("a/n").availableAtMs(1),
      ],
      [null, 5_000, 1],
    );
  });

  test("tells the operator when a target is left alone, and when it answers again", () => {
    const told: string[] = [];
    const events = {
      leftAlone: (target: string, reason: string, forMs: number) => told.push(`${target} ${reason} ${forMs}`),
      calledAgain: (target: string) => told.push(target),
    };
    const target = createTargetsHealth({ random: () => 0, events }, { health: rules }).target("a/m");
    for (let failure = 0; failure < 3; failure++) call(target, failed, 0);
    assert.deepEqual(told.splice(0), ["a/m failures 5000"]);
    for (let probe = 0; probe < 3; probe++) call(target, whole, 6_000);
    assert.deepEqual(told.splice(0), ["a/m"]);
    call(target, { kind: "limited", retryAfterMs: 20_000 }, 6_000);
    assert.deepEqual(told, ["a/m rate-limit 20000"]);
  });

  test("counts calls under way until they end, whatever becomes of them", () => {
    const target = createHealth().target("a/m");
    const outcomes: readonly CallOutcome[] = [
      whole,
      failed,
      { kind: "limited", retryAfterMs: null },
      { kind: "neutral" },
    ];
    const calls = outcomes.map(() => target.begin(true, 0)!);
    const busy = target.load(0);
    for (const [index, begun] of calls.entries()) begun.ended(outcomes[index]!, 100);
    assert.ok(busy > 0 && target.load(100) < Infinity);
    assert.throws(() => calls[0]!.ended(whole, 200), /ended twice/);
  });

  test("learns the usual time of streams and of whole answers apart, each call once", () => {
    const target = createHealth().target("a/m");
    for (let stream = 0; stream < 20; stream++) {
      const begun = target.begin(true, 0)!;
      begun.outputBegan(400);
      begun.outputBegan(9_000);
      begun.ended({ kind: "answered", firstOutputMs: 400, totalMs: 9_000 }, 9_000);
    }
    assert.equal(target.slowAnswerMs(9_000), null);
    const slowMs = target.slowFirstOutputMs(9_000);
    assert.ok(slowMs !== null && slowMs >= 400 && slowMs < 450, String(slowMs));
    for (let answer = 0; answer < 20; answer++) call(target, whole, 9_000);
    const answerMs = target.slowAnswerMs(9_000);
    assert.ok(answerMs !== null && answerMs >= 2_000 && answerMs < 2_250, String(answerMs));
  });

  test("learns the time of a stream from its end where its beginning was not told", () => {
    const target = createHealth().target("a/m");
    for (let stream = 0; stream < 20; stream++) {
      call(target, { kind: "answered", firstOutputMs: 400, totalMs: 9_000 }, 0, true);
    }
    assert.ok(target.slowFirstOutputMs(0) !== null);
    assert.ok(target.load(0) < 1_000);
  });

  test("counts a stream that was given up as slow", () => {
    const target = createHealth().target("a/m");
    for (let stream = 0; stream < 20; stream++) {
      call(target, { kind: "answered", firstOutputMs: 400, totalMs: 900 }, 0, true);
    }
    for (let lost = 0; lost < 5; lost++) target.begin(true, 0)!.ended({ kind: "neutral" }, 3_000);
    assert.ok((target.slowFirstOutputMs(3_000) ?? 0) >= 3_000);
  });

  test("lets calls be made again within their budget", () => {
    const target = createHealth().target("a/m");
    const spent = Array.from({ length: 12 }, () => target.spendRetry(20, 0));
    assert.deepEqual([spent.filter(Boolean).length, target.spendRetry(20, 11_000)], [10, true]);
  });

  test("tells how many calls of late were limited, each counted when it began", () => {
    const target = createHealth().target("a/m");
    const begin = (nowMs: number) => target.begin(false, nowMs) ?? assert.fail("not let through");
    const limited = { kind: "limited", retryAfterMs: null } as const;
    const [early, late] = [begin(200), begin(1_100)];
    call(target, whole, 1_200);
    assert.deepEqual(target.callsOfLate(1_300), { calls: 3, limited: 0, spanMs: 1_300 });
    late.ended(limited, 1_400);
    early.ended(limited, 1_500);
    assert.deepEqual(target.callsOfLate(1_500), { calls: 3, limited: 2, spanMs: 1_500 });
    assert.deepEqual(target.callsOfLate(2_000), { calls: 2, limited: 1, spanMs: 1_000 });
    assert.equal(target.leftAlone(2_000), null);
  });

  test("follows the rules of a reload, also where it is known already", () => {
    const health = createHealth();
    call(health.target("a/m"), failed, 0);
    health.configure({ health: { ...rules, failuresInRow: 1 } });
    for (const name of ["a/m", "a/new"]) {
      call(health.target(name), failed, 0);
      assert.equal(health.target(name).begin(false, 1), null);
    }
  });
});

describe("the health of all targets", () => {
  test("is told of those that were called, by name", () => {
    const health = createHealth();
    health.target("c/never-called").availableAtMs(0);
    health.target("b/m").begin(false, 0);
    for (let failure = 0; failure < 3; failure++) call(health.target("a/m"), failed, 0);
    assert.deepEqual(health.standings(1_000), [
      {
        name: "a/m",
        state: "open",
        underWay: 0,
        calls: 0,
        failures: 0,
        availableInMs: 4_000,
        leftAloneFor: "failures",
      },
      { name: "b/m", state: "closed", underWay: 1, calls: 0, failures: 0, availableInMs: null, leftAloneFor: null },
    ]);
  });

  test("is kept for a bounded number of names, and never forgotten of one that is asked for", () => {
    const health = createHealth();
    for (let failure = 0; failure < 3; failure++) call(health.target("a/m"), failed, 0);
    for (let name = 0; name < 20_000; name++) {
      health.target(`a/made-up-${name}`).begin(false, 0);
      if (name % 500 === 0) assert.equal(health.target("a/m").begin(false, 1), null);
    }
    assert.ok(health.standings(0).length <= 4_096);
  });

  test("of one that nobody asks for any more is forgotten", () => {
    const health = createHealth();
    for (let failure = 0; failure < 3; failure++) call(health.target("a/m"), failed, 0);
    for (let name = 0; name < 5_000; name++) health.target(`a/made-up-${name}`);
    assert.ok(health.target("a/m").begin(false, 1) !== null);
  });

  test("knows the credentials of each provider apart", () => {
    const health = createHealth();
    health.credentials("a").refused("default", 0);
    assert.equal(health.credentials("a").next(["default", "spare"], [], 1), "spare");
    assert.equal(health.credentials("b").next(["default", "spare"], [], 1), "default");
  });
});
