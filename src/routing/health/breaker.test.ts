import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import type { HealthConfig } from "../../config/config.ts";
import { Breaker, type BreakerCall } from "./breaker.ts";

const rules: HealthConfig = {
  failuresInRow: 5,
  failurePercent: 50,
  windowMs: 30_000,
  openMs: 5_000,
  openMaxMs: 60_000,
  probes: 1,
  adaptiveConcurrency: "off",
};

interface Place {
  readonly breaker: Breaker;
  /** `null`: not let through. */
  begin(nowMs: number): BreakerCall | null;
  /** The same of a call that no other target can answer. */
  beginAlone(nowMs: number): BreakerCall | null;
  /** Begins, which must be possible, and ends at once. */
  fail(nowMs: number, retryAfterMs?: number): void;
  answer(nowMs: number): void;
}

/** With jitter of none unless given. */
function createPlace(given: Partial<HealthConfig> = {}, random: () => number = () => 0): Place {
  const breaker = new Breaker({ ...rules, ...given }, random);
  function begun(nowMs: number): BreakerCall {
    return { probe: breaker.began(nowMs), generation: breaker.generation, isSilent: true };
  }
  function begin(nowMs: number): BreakerCall | null {
    return breaker.availableAtMs(nowMs) > nowMs ? null : begun(nowMs);
  }
  function beginAlone(nowMs: number): BreakerCall | null {
    return breaker.lastResortAtMs(nowMs) > nowMs ? null : begun(nowMs);
  }
  function mustBegin(nowMs: number): BreakerCall {
    const call = begin(nowMs);
    assert.ok(call !== null, `nothing is let through at ${nowMs}`);
    return call;
  }
  return {
    breaker,
    begin,
    beginAlone,
    fail: (nowMs, retryAfterMs) => breaker.failed(mustBegin(nowMs), retryAfterMs ?? null, nowMs),
    answer: (nowMs) => breaker.answered(mustBegin(nowMs), nowMs),
  };
}

function failMany(place: Place, count: number, nowMs: number): void {
  for (let failed = 0; failed < count; failed++) place.fail(nowMs);
}

describe("a closed breaker", () => {
  test("opens at the last of so many failures in a row, and answers in between begin the row anew", () => {
    const place = createPlace();
    failMany(place, 4, 0);
    place.answer(0);
    failMany(place, 4, 10);
    assert.equal(place.breaker.state(10), "closed");
    place.fail(20);
    assert.deepEqual([place.breaker.state(20), place.breaker.availableAtMs(20)], ["open", 5_020]);
  });

  test("opens when half of at least twenty calls failed, whatever their order", () => {
    const place = createPlace({ failuresInRow: 0 });
    for (let call = 0; call < 9; call++) {
      place.answer(call);
      place.fail(call);
    }
    assert.equal(place.breaker.state(9), "closed");
    place.answer(9);
    place.fail(9);
    assert.equal(place.breaker.state(9), "open");
  });

  test("does not count what is older than the window", () => {
    const place = createPlace({ failuresInRow: 0 });
    failMany(place, 19, 0);
    failMany(place, 19, 30_000);
    assert.deepEqual([place.breaker.state(30_000), place.breaker.calls(30_000)], ["closed", 19]);
    place.fail(30_001);
    assert.equal(place.breaker.state(30_001), "open");
  });

  test("never opens for failures where both criteria are off", () => {
    const place = createPlace({ failuresInRow: 0, failurePercent: 0 });
    failMany(place, 1_000, 0);
    assert.equal(place.breaker.state(0), "closed");
  });

  test("takes a new window at once when it is configured", () => {
    const place = createPlace();
    place.answer(0);
    place.breaker.configure({ ...rules, windowMs: 1_000, failuresInRow: 1 });
    assert.equal(place.breaker.calls(0), 0);
    place.fail(1);
    assert.equal(place.breaker.state(1), "open");
  });
});

describe("what a provider asks for", () => {
  test("is waited for and nothing more where it is short", () => {
    const place = createPlace();
    place.breaker.limited(place.begin(0)!, 300, 0);
    assert.deepEqual(place.breaker.leftAlone(299), { reason: "rate-limit", untilMs: 300, isProbed: false });
    assert.deepEqual(
      [place.begin(299), place.breaker.availableAtMs(299), place.breaker.state(299)],
      [null, 300, "closed"],
    );
    for (let call = 0; call < 10; call++) assert.ok(place.begin(300) !== null);
  });

  test("opens the breaker where it is long, and a probe comes after that", () => {
    const place = createPlace();
    place.fail(0, 20_000);
    assert.deepEqual([place.begin(19_999), place.breaker.state(19_999)], [null, "open"]);
    assert.ok(place.begin(20_000) !== null);
    assert.equal(place.begin(20_000), null);
  });

  test("buries nobody: after openMaxMs it is probed, whatever was asked", () => {
    const place = createPlace({}, () => 0.999);
    place.breaker.limited(place.begin(0)!, 365 * 86_400_000, 0);
    assert.equal(place.breaker.availableAtMs(1), 60_000);
  });

  test("counts no failure when it is a 429, and none at all when that says no time", () => {
    const place = createPlace();
    for (let call = 0; call < 100; call++) place.breaker.limited(place.begin(0)!, null, 0);
    assert.deepEqual(
      [place.breaker.state(0), place.breaker.failures(0), place.breaker.availableAtMs(0)],
      ["closed", 0, 0],
    );
  });

  test("is known from failures, by the last that moved its time", () => {
    const place = createPlace();
    const reason = (nowMs: number): string | null => place.breaker.leftAlone(nowMs)?.reason ?? null;
    assert.equal(reason(0), null);
    const [early, late] = [place.begin(0)!, place.begin(0)!];
    place.breaker.limited(place.begin(0)!, 20_000, 0);
    assert.deepEqual(place.breaker.leftAlone(19_999), { reason: "rate-limit", untilMs: 20_000, isProbed: true });
    place.breaker.failed(early, 10_000, 5_000);
    assert.equal(reason(5_000), "rate-limit", "what it asked for earlier lasts longer");
    place.breaker.failed(late, 20_000, 6_000);
    assert.equal(reason(6_000), "failures");
    const probe = place.begin(26_000)!;
    assert.deepEqual(place.breaker.leftAlone(26_000), { reason: "failures", untilMs: 26_000, isProbed: true });
    place.breaker.limited(probe, 1_000, 26_100);
    assert.equal(reason(26_100), "rate-limit");
    place.fail(27_100);
    assert.equal(reason(27_100), "failures", "a probe that fails is a failure");
  });

  test("is heeded from a call that began before the breaker opened", () => {
    const place = createPlace();
    const late = place.begin(0)!;
    failMany(place, 5, 0);
    place.breaker.failed(late, 30_000, 1_000);
    assert.equal(place.breaker.availableAtMs(1_000), 31_000);
  });
});

describe("an open breaker", () => {
  test("is probed by one call when its time is over; another passes when the first answers, and all after the third", () => {
    const place = createPlace();
    failMany(place, 5, 0);
    assert.equal(place.begin(4_999), null);
    const first = place.begin(5_000)!;
    assert.deepEqual([place.begin(5_001), place.breaker.state(5_001)], [null, "half-open"]);
    place.breaker.answered(first, 5_100);
    const [second, third] = [place.begin(5_100)!, place.begin(5_100)!];
    assert.equal(place.begin(5_100), null);
    place.breaker.answered(second, 5_200);
    place.breaker.answered(third, 5_200);
    assert.equal(place.breaker.state(5_200), "closed");
    for (let call = 0; call < 50; call++) assert.ok(place.begin(5_200) !== null);
  });

  test("lets the next probe through when the output of one begins, and opens again when that stream breaks after all", () => {
    const place = createPlace();
    failMany(place, 5, 0);
    const probe = place.begin(5_000)!;
    place.breaker.outputBegan(probe, 5_300);
    assert.ok(place.begin(5_300) !== null);
    place.breaker.failed(probe, null, 6_000);
    assert.deepEqual([place.breaker.state(6_000), place.breaker.availableAtMs(6_000)], ["open", 16_000]);
  });

  test("stays open for twice as long with each probe that fails, up to the longest", () => {
    const place = createPlace();
    failMany(place, 5, 0);
    let nowMs = 0;
    const waits: number[] = [];
    for (let probe = 0; probe < 6; probe++) {
      const againMs = place.breaker.availableAtMs(nowMs);
      waits.push(againMs - nowMs);
      nowMs = againMs;
      place.fail(nowMs);
    }
    assert.deepEqual(waits, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  test("has been open for long for nothing once anything has answered", () => {
    const place = createPlace();
    failMany(place, 5, 0);
    place.fail(5_000);
    assert.equal(place.breaker.availableAtMs(5_000), 15_000);
    place.answer(15_000);
    failMany(place, 5, 15_000);
    assert.equal(place.breaker.availableAtMs(15_000), 20_000);
  });

  test("draws up to a quarter off, so that processes do not probe together", () => {
    const place = createPlace({}, () => 0.8);
    failMany(place, 5, 0);
    assert.equal(place.breaker.availableAtMs(0), 4_000);
  });

  test("is not moved by calls that began before it opened, however they end", () => {
    const place = createPlace();
    const late = Array.from({ length: 20 }, () => place.begin(0)!);
    failMany(place, 5, 0);
    for (const call of late.slice(0, 10)) place.breaker.answered(call, 100);
    for (const call of late.slice(10)) place.breaker.failed(call, null, 200);
    assert.equal(place.breaker.availableAtMs(200), 5_000);
  });

  test("once closed again, is not opened by probes and calls of before", () => {
    const place = createPlace();
    const old = Array.from({ length: 5 }, () => place.begin(0)!);
    failMany(place, 5, 0);
    const probe = place.begin(5_000)!;
    place.breaker.outputBegan(probe, 5_000);
    for (let answered = 0; answered < 2; answered++) place.answer(5_000);
    assert.equal(place.breaker.state(5_000), "closed");
    for (const call of [...old, probe]) place.breaker.failed(call, null, 5_100);
    assert.deepEqual([place.breaker.state(5_100), place.breaker.failures(5_100)], ["closed", 0]);
  });

  test("forgets the probes of before when it opens again: they neither hold places nor count as answers", () => {
    const place = createPlace({ probes: 2 });
    failMany(place, 5, 0);
    const [slow, quick] = [place.begin(5_000)!, place.begin(5_000)!];
    place.breaker.failed(quick, null, 5_100);
    assert.ok(place.begin(15_100) !== null);
    place.breaker.answered(slow, 15_200);
    assert.deepEqual([place.begin(15_200) !== null, place.begin(15_200)], [true, null]);
  });

  test("is closed by three answers also with failures in between, unless these are too many in a row", () => {
    const place = createPlace();
    failMany(place, 5, 0);
    place.answer(5_000);
    failMany(place, 4, 5_000);
    place.answer(5_000);
    assert.equal(place.breaker.state(5_000), "half-open");
    failMany(place, 5, 5_000);
    assert.equal(place.breaker.state(5_000), "open");
    for (let answered = 0; answered < 3; answered++) place.answer(10_000);
    assert.equal(place.breaker.state(10_000), "closed");
  });

  test("takes the beginning and the end of a stream for one answer", () => {
    const place = createPlace();
    failMany(place, 5, 0);
    for (let answered = 0; answered < 2; answered++) {
      const probe = place.begin(5_000)!;
      place.breaker.outputBegan(probe, 5_000);
      place.breaker.answered(probe, 5_000);
    }
    assert.equal(place.breaker.state(5_000), "half-open");
    for (let probe = 0; probe < 4; probe++) assert.ok(place.begin(5_000) !== null);
    assert.equal(place.begin(5_000), null);
  });

  test("once closed again, does not take late answers for a sign that it is well", () => {
    const place = createPlace();
    const late = place.begin(0)!;
    failMany(place, 5, 0);
    for (let answered = 0; answered < 3; answered++) place.answer(5_000);
    failMany(place, 4, 6_000);
    place.breaker.answered(late, 6_000);
    place.fail(6_000);
    assert.equal(place.breaker.state(6_000), "open");
  });

  test("is probed anew when a probe has said nothing for the longest time, and heeds the lost one's answer still", () => {
    const place = createPlace();
    failMany(place, 5, 0);
    const lost = place.begin(5_000)!;
    assert.deepEqual([place.begin(64_999), place.breaker.availableAtMs(64_999)], [null, 65_000]);
    assert.ok(place.begin(65_000) !== null);
    assert.equal(place.begin(65_000), null);
    place.breaker.answered(lost, 66_000);
    assert.ok(place.begin(66_000) !== null);
  });

  test("gives the place of a probe that was cancelled to the next call", () => {
    const place = createPlace();
    failMany(place, 5, 0);
    place.breaker.dropped(place.begin(5_000)!);
    assert.equal(place.breaker.state(5_000), "half-open");
    assert.ok(place.begin(5_000) !== null);
  });
});

type Step = readonly [
  kind: "begin" | "begin-alone" | "answer" | "output" | "fail" | "limit" | "drop" | "wait",
  pick: number,
  ms: number,
];

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant("begin" as const), fc.nat(9), fc.constant(0)) },
  { weight: 3, arbitrary: fc.tuple(fc.constant("begin-alone" as const), fc.nat(9), fc.constant(0)) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom("answer" as const, "output" as const), fc.nat(99), fc.constant(0)) },
  { weight: 4, arbitrary: fc.tuple(fc.constant("fail" as const), fc.nat(99), fc.constantFrom(-1, 200, 7_000, 1e12)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("limit" as const), fc.nat(99), fc.constantFrom(-1, 200, 7_000, 1e12)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("drop" as const), fc.nat(99), fc.constant(0)) },
  { weight: 3, arbitrary: fc.tuple(fc.constant("wait" as const), fc.constant(0), fc.integer({ min: 1, max: 20_000 })) },
);

const anyRules = fc.record({
  failuresInRow: fc.integer({ min: 0, max: 4 }),
  failurePercent: fc.constantFrom(0, 30, 100),
  openMs: fc.constantFrom(100, 5_000),
  probes: fc.integer({ min: 1, max: 3 }),
});

/** A call as the test sees it. */
interface Seen extends BreakerCall {
  readonly beganMs: number;
}

/** Drives a breaker, and knows what it may do from the outside only. */
class Bench {
  readonly place: Place;
  readonly given: HealthConfig;
  nowMs = 0;
  readonly #running: Seen[] = [];

  constructor(given: Partial<HealthConfig>, random: () => number) {
    this.given = { ...rules, ...given };
    this.place = createPlace(given, random);
  }

  act([kind, pick, ms]: Step): void {
    const { breaker } = this.place;
    if (kind === "wait") this.nowMs += ms;
    else if (kind === "begin") this.#begin();
    else if (kind === "begin-alone") this.#beginAlone();
    else if (kind === "output") {
      const call = this.#running[pick % this.#running.length];
      if (call !== undefined) breaker.outputBegan(call, this.nowMs);
    } else {
      const [call] = this.#running.splice(pick % Math.max(1, this.#running.length), 1);
      if (call === undefined) return;
      const askedMs = ms < 0 ? null : ms;
      if (kind === "answer") breaker.answered(call, this.nowMs);
      else if (kind === "fail") breaker.failed(call, askedMs, this.nowMs);
      else if (kind === "limit") breaker.limited(call, askedMs, this.nowMs);
      else breaker.dropped(call);
    }
  }

  #begin(): void {
    const { breaker, begin } = this.place;
    const state = breaker.state(this.nowMs);
    const availableAtMs = breaker.availableAtMs(this.nowMs);
    const call = begin(this.nowMs);
    assert.equal(call !== null, availableAtMs <= this.nowMs, "what is announced is what happens");
    assert.ok(availableAtMs <= this.nowMs + this.given.openMaxMs, "left alone for longer than the longest time");
    if (call === null) return;
    assert.notEqual(state, "open", "a call passed while it was open");
    this.#running.push(Object.assign(call, { beganMs: this.nowMs }));
  }

  #beginAlone(): void {
    const { breaker, beginAlone } = this.place;
    const lastResortAtMs = breaker.lastResortAtMs(this.nowMs);
    assert.ok(lastResortAtMs <= breaker.availableAtMs(this.nowMs), "left alone by those who have nobody else");
    const call = beginAlone(this.nowMs);
    assert.equal(call !== null, lastResortAtMs <= this.nowMs, "what is announced is what happens");
    if (call !== null) this.#running.push(Object.assign(call, { beganMs: this.nowMs }));
  }

  /** Silent calls of this generation that are not lost: the places they may take grow to four times the probes. */
  check(): void {
    const silent = this.#running.filter(
      ({ probe, generation, beganMs }) =>
        probe === "asked" &&
        generation === this.place.breaker.generation &&
        this.nowMs - beganMs < this.given.openMaxMs,
    );
    assert.ok(silent.length <= this.given.probes * 4, `${silent.length} probes`);
  }

  /** From now on it answers at once: how long until it is closed. */
  recoverMs(): number {
    const sinceMs = this.nowMs;
    while (this.place.breaker.state(this.nowMs) !== "closed" && this.nowMs - sinceMs < 1e7) {
      this.nowMs += 10;
      const call = this.place.begin(this.nowMs);
      if (call !== null) this.place.breaker.answered(call, this.nowMs);
    }
    return this.nowMs - sinceMs;
  }
}

describe("over any history", () => {
  const history = fc.array(step, { maxLength: 150 });

  test("nothing passes an open breaker, few probes are under way, and none is left alone beyond the longest time", () => {
    fc.assert(
      fc.property(anyRules, history, fc.double({ min: 0, max: 0.999, noNaN: true }), (given, steps, random) => {
        const bench = new Bench(given, () => random);
        for (const each of steps) {
          bench.act(each);
          bench.check();
        }
      }),
      { numRuns: 500 },
    );
  });

  test("no more probes pass than there may be, until one has answered or is lost", () => {
    const waits = fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), waits, (probes, waitsMs) => {
        const place = createPlace({ probes, openMaxMs: 1e9 });
        failMany(place, 5, 0);
        let nowMs = 0;
        let passed = 0;
        for (const waitMs of waitsMs) {
          nowMs += waitMs;
          const passes = place.begin(nowMs) !== null;
          assert.equal(passes, nowMs >= 5_000 && passed < probes);
          if (passes) passed++;
        }
      }),
    );
  });

  test("a target that answers again is called as usual within the longest time", () => {
    fc.assert(
      fc.property(anyRules, history, (given, steps) => {
        const bench = new Bench(given, () => 0.5);
        for (const each of steps) bench.act(each);
        const recoveredMs = bench.recoverMs();
        assert.ok(recoveredMs <= bench.given.openMaxMs + 100, `${recoveredMs} ms`);
      }),
      { numRuns: 300 },
    );
  });
});
