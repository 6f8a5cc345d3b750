import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultConfig } from "../../config/defaults.ts";
import { createTargetsHealth } from "./create-health.ts";
import type { CallOutcome, TargetHealth } from "./health.ts";

const answered: CallOutcome = { kind: "answered", firstOutputMs: null, totalMs: 100 };
const failed: CallOutcome = { kind: "failed", retryAfterMs: null };

/** With the defaults, and jitter of none. */
function createTarget(): TargetHealth {
  const { health } = defaultConfig();
  return createTargetsHealth({ random: () => 0 }, { health }).target("a/m");
}

function call(target: TargetHealth, outcome: CallOutcome, nowMs: number, times = 1): void {
  for (let made = 0; made < times; made++) {
    const begun = target.begin(false, nowMs);
    assert.ok(begun !== null, `call ${made} is not let through at ${nowMs}`);
    begun.ended(outcome, nowMs);
  }
}

/** Of which half of the calls failed, and then so many. */
function unreliable(failuresInRow: number): TargetHealth {
  const target = createTarget();
  for (let round = 0; round < 9; round++) {
    call(target, failed, 0);
    call(target, answered, 0);
  }
  call(target, failed, 0, failuresInRow);
  return target;
}

describe("a target that fails often", () => {
  test("is left alone where others can answer, and called where nobody else can", () => {
    const target = unreliable(5);
    assert.deepEqual([target.availableAtMs(0), target.lastResortAtMs(0)], [5_000, 0]);
    for (let round = 0; round < 20; round++) {
      call(target, failed, 1_000 + round);
      call(target, answered, 1_000 + round);
    }
    assert.deepEqual([target.availableAtMs(1_020), target.lastResortAtMs(1_020)], [5_000, 1_020]);
  });

  test("is down when more calls fail in a row than a coincidence explains", () => {
    const target = unreliable(5);
    let failures = 5;
    for (; target.lastResortAtMs(1_000) <= 1_000; failures++) call(target, failed, 1_000);
    assert.ok(failures > 10 && failures < 20, `${failures} failures`);
  });

  test("may ask for time: who has another target heeds it, and who has not heeds it for that request only", () => {
    const target = unreliable(0);
    call(target, { kind: "failed", retryAfterMs: 20_000 }, 100);
    assert.deepEqual([target.availableAtMs(100), target.lastResortAtMs(100)], [20_100, 100]);
  });

  test("is left alone by everybody for as long as a 429 asks", () => {
    for (const retryAfterMs of [2_000, 20_000]) {
      const target = unreliable(0);
      call(target, { kind: "limited", retryAfterMs }, 100);
      assert.deepEqual(
        [target.availableAtMs(100), target.lastResortAtMs(100)],
        [retryAfterMs + 100, retryAfterMs + 100],
      );
    }
  });

  test("is probed by those who have nobody else once a long time that a 429 asked for is over", () => {
    const target = unreliable(0);
    call(target, { kind: "limited", retryAfterMs: 20_000 }, 0);
    assert.ok(target.begin(false, 20_000) !== null);
    assert.equal(target.begin(false, 20_000), null);
  });
});

describe("a target that is down", () => {
  /** When it is probed, where all probes fail. */
  function probedAtMs(target: TargetHealth, untilMs: number): number[] {
    const probes: number[] = [];
    for (let nowMs = target.lastResortAtMs(0); nowMs < untilMs; nowMs = target.lastResortAtMs(nowMs)) {
      probes.push(Math.round(nowMs));
      const probe = target.begin(false, nowMs);
      assert.equal(target.begin(false, nowMs), null, "one at a time");
      probe?.ended(failed, nowMs);
    }
    return probes;
  }

  test("is probed soon and then every few seconds by those who have nobody else", () => {
    const target = createTarget();
    call(target, failed, 0, 5);
    assert.deepEqual(probedAtMs(target, 20_000), [313, 938, 2_188, 4_688, 5_000, 10_000, 15_000]);
  });

  test("is not made to wait for longer by those probes where others can answer", () => {
    const target = createTarget();
    call(target, failed, 0, 5);
    probedAtMs(target, 4_999);
    assert.equal(target.availableAtMs(4_999), 5_000);
  });

  test("is called by few as long as few have answered, also where nobody else can", () => {
    const target = createTarget();
    call(target, failed, 0, 5);
    call(target, answered, 400);
    const begun = [target.begin(false, 400), target.begin(false, 400), target.begin(false, 400)];
    assert.deepEqual(
      begun.map((each) => each !== null),
      [true, true, false],
    );
    for (const each of begun) each?.ended(answered, 500);
    assert.equal(target.availableAtMs(500), 500, "those who have others come back as well");
    call(target, answered, 500, 50);
  });

  test("is called as a last resort again when a probe has answered and others failed", () => {
    const target = createTarget();
    call(target, failed, 0, 5);
    call(target, answered, 400);
    call(target, failed, 400, 5);
    assert.deepEqual([target.availableAtMs(400) > 400, target.lastResortAtMs(400)], [true, 400]);
  });
});
