import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../../test/support/properties.ts";
import { Pace, type LimitedCall } from "./pace.ts";

function limited(beganMs: number, calls: number, ofThem: number, saysWhen = false): LimitedCall {
  return { beganMs, saysWhen, againMs: -Infinity, ofLate: { calls, limited: ofThem, spanMs: 1_500 } };
}

/** When so many calls leave that wait from then on. */
function leaving(pace: Pace, count: number, fromMs: number): readonly number[] {
  const times: number[] = [];
  for (let nowMs = fromMs; times.length < count; nowMs = Math.max(nowMs, pace.nextMs)) {
    if (pace.nextMs > nowMs) continue;
    pace.left(nowMs);
    times.push(Math.round(nowMs));
  }
  return times;
}

describe("a target of which nothing was accepted of late", () => {
  test("is called after a pause that doubles with each 429, two seconds at the most", () => {
    const pace = new Pace();
    const pauses: number[] = [];
    for (let nowMs = 0; pauses.length < 5; nowMs = pace.nextMs) {
      pace.limited(limited(nowMs, 1, 1), nowMs);
      pauses.push(pace.nextMs - nowMs);
    }
    assert.deepEqual(pauses, [250, 500, 1_000, 2_000, 2_000]);
  });

  test("makes one pause of calls that were under way together", () => {
    const pace = new Pace();
    for (let call = 0; call < 50; call++) pace.limited(limited(0, 50, 50), 40 + call);
    assert.equal(pace.nextMs, 290);
    pace.limited(limited(290, 1, 1), 300);
    assert.equal(pace.nextMs, 800);
  });

  test("makes no longer pause where the provider says when to come back", () => {
    const pace = new Pace();
    for (const nowMs of [0, 1_000, 2_000]) {
      pace.limited(limited(nowMs, 1, 1, true), nowMs);
      assert.equal(pace.nextMs, nowMs + 250);
    }
  });

  test("begins with short pauses again once something was accepted", () => {
    const pace = new Pace();
    for (const nowMs of [0, 250, 750]) pace.limited(limited(nowMs, 1, 1), nowMs);
    pace.limited(limited(2_000, 5, 1), 2_000);
    pace.limited(limited(2_100, 1, 1), 2_100);
    assert.equal(pace.nextMs, 2_350);
  });
});

describe("a target that limits half of its calls or more", () => {
  test("is called as often as it accepted calls, and then faster bit by bit", () => {
    const pace = new Pace();
    pace.limited(limited(0, 100, 85), 1_000);
    assert.equal(Math.round(pace.perSecond(1_000)), 10);
    assert.deepEqual(leaving(pace, 3, 1_000), [1_100, 1_199, 1_297]);
    assert.equal(Math.round(pace.perSecond(9_000)), 20);
    assert.deepEqual([pace.isOver(30_000), pace.isOver(60_000)], [false, true]);
  });

  test("is slowed down further by the 429s of calls that left before", () => {
    const pace = new Pace();
    for (let ofThem = 50; ofThem <= 85; ofThem++) pace.limited(limited(0, 100, ofThem), 1_000 + ofThem);
    assert.equal(Math.round(pace.perSecond(1_085)), 10);
  });
});

test("a target that limits less than half of its calls, or of a few, is not slowed down", () => {
  const pace = new Pace();
  pace.limited(limited(0, 100, 49), 1_000);
  pace.limited(limited(0, 9, 8), 1_000);
  assert.deepEqual([pace.isOver(1_000), pace.nextMs], [true, -Infinity]);
});

test("those who waited until a time that the provider said leave at twice what it had accepted, and not faster than before", () => {
  const pace = new Pace();
  pace.limited(limited(0, 20, 5, true), 1_000);
  assert.equal(pace.perSecond(1_000), 20);
  pace.limited(limited(0, 100, 45, true), 1_000);
  assert.equal(pace.perSecond(1_000), 20);
  pace.limited(limited(0, 3, 1, true), 1_000);
  assert.equal(pace.perSecond(1_000), 4, "of a few calls nobody knows");
  pace.limited({ ...limited(0, 3, 1, true), againMs: 3_000 }, 1_000);
  assert.equal(pace.nextMs, 3_000);
});

test("what could have left while a timer was late leaves at once, and no more than that", () => {
  const pace = new Pace();
  pace.limited(limited(0, 300, 200), 0);
  const perSecond = pace.perSecond(0);
  let left = 0;
  for (; pace.nextMs <= 5_000; left++) pace.left(5_000);
  assert.ok(left >= 1 && left <= 1 + (20 / 1_000) * perSecond * 2, `${left} calls`);
});

test("calls that wait leave no faster than the pace, whatever was limited", () => {
  const sign = fc.record({
    calls: fc.integer({ min: 1, max: 200 }),
    limited: fc.integer({ min: 1, max: 200 }),
    ageMs: fc.integer({ min: 0, max: 2_000 }),
    afterMs: fc.integer({ min: 0, max: 5_000 }),
  });
  fc.assert(
    fc.property(fc.array(sign, { minLength: 1, maxLength: 20 }), (signs) => {
      const pace = new Pace();
      let nowMs = 10_000;
      for (const { calls, limited: ofThem, ageMs, afterMs } of signs) {
        nowMs += afterMs;
        pace.limited(limited(nowMs - ageMs, Math.max(calls, ofThem), ofThem), nowMs);
      }
      const [first = 0, ...others] = leaving(pace, 20, nowMs);
      assert.ok(first - nowMs <= 2_000, "no pause is longer than two seconds");
      const last = others.at(-1) ?? first;
      assert.ok(others.length <= 1 + ((last - first + 25) / 1_000) * pace.perSecond(last), "a pace is kept");
    }),
  );
});
