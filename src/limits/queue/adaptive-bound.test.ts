import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../test/support/properties.ts";
import { AdaptiveBound } from "./adaptive-bound.ts";
import type { PassOutcome } from "./pass.ts";

function stream(firstOutputMs: number): PassOutcome {
  return { kind: "answered", firstOutputMs, totalMs: firstOutputMs * 10 };
}

interface Running {
  readonly outcome: PassOutcome;
  readonly beganMs: number;
  readonly endsMs: number;
}

/** Calls that run on a target: as many as the bound lets, or as callers want. */
class Load {
  readonly bound: AdaptiveBound;
  nowMs = 0;
  readonly #running: Running[] = [];
  readonly #server: (running: number, place: number) => readonly [outcome: PassOutcome, tookMs: number];
  #calls = 0;

  /** `server`: what becomes of a call beside so many others, and how long it takes; `place`: some number of each call. */
  constructor(most: number, server: (running: number, place: number) => readonly [PassOutcome, number]) {
    this.bound = new AdaptiveBound(most);
    this.#server = server;
  }

  run(forMs: number, wanted: number = Infinity): void {
    const untilMs = this.nowMs + forMs;
    while (this.nowMs < untilMs) {
      while (this.#running.length < Math.min(wanted, this.bound.bound)) this.#begin();
      const next = this.#running.reduce((soonest, each) => (each.endsMs < soonest.endsMs ? each : soonest));
      this.nowMs = next.endsMs;
      const full = this.#running.length >= this.bound.bound;
      this.#running.splice(this.#running.indexOf(next), 1);
      this.bound.ended(next.outcome, full, next.beganMs, this.nowMs);
    }
  }

  #begin(): void {
    // A low-discrepancy sequence in place of chance: calls differ, runs do not.
    const place = (this.#calls++ * 0.618_033_988_75) % 1;
    const [outcome, tookMs] = this.#server(this.#running.length + 1, place);
    this.#running.push({ outcome, beganMs: this.nowMs, endsMs: this.nowMs + tookMs });
  }
}

/** Serves so many at once in their time, give or take half; beyond that everything takes longer in proportion. */
function sharedServer(capacity: () => number): (running: number, place: number) => readonly [PassOutcome, number] {
  return (running, place) => {
    const tookMs = 200 * (0.5 + place) * Math.max(1, running / capacity());
    return [stream(tookMs), tookMs];
  };
}

describe("an adaptive bound", () => {
  test("begins at what is configured, and never passes it", () => {
    const load = new Load(
      8,
      sharedServer(() => 1_000),
    );
    assert.equal(load.bound.bound, 8);
    load.run(60_000);
    assert.equal(load.bound.bound, 8);
  });

  test("finds a target's capacity where nothing is configured, and stays near it", () => {
    const load = new Load(
      Infinity,
      sharedServer(() => 100),
    );
    load.run(30_000);
    for (let minute = 0; minute < 20; minute++) {
      load.run(60_000);
      const { bound } = load.bound;
      assert.ok(bound >= 100 && bound <= 220, `${bound} after ${minute} minutes`);
    }
  });

  test("follows a target that loses most of its capacity", () => {
    let capacity = 100;
    const load = new Load(
      Infinity,
      sharedServer(() => capacity),
    );
    load.run(60_000);
    capacity = 10;
    load.run(90_000);
    assert.ok(load.bound.bound >= 10 && load.bound.bound <= 25, String(load.bound.bound));
  });

  test("does not grow while its slots are not used", () => {
    const load = new Load(
      Infinity,
      sharedServer(() => 1_000),
    );
    load.run(60_000, 20);
    assert.equal(load.bound.bound, 32);
  });

  test("stays about where a provider begins to answer 429", () => {
    const load = new Load(Infinity, (running, place) =>
      running > 50 ? [{ kind: "limited" }, 20] : [stream(200), 1_000 + 1_000 * place],
    );
    load.run(120_000);
    for (let minute = 0; minute < 10; minute++) {
      load.run(60_000);
      const { bound } = load.bound;
      assert.ok(bound >= 30 && bound <= 56, `${bound} after ${minute} minutes`);
    }
  });

  test("takes 429s that come together for one", () => {
    const bound = new AdaptiveBound(100);
    for (let call = 0; call < 50; call++) bound.ended({ kind: "limited" }, true, 0, 1_000 + call);
    assert.equal(bound.bound, 75);
    bound.ended({ kind: "limited" }, true, 1_001, 2_000);
    assert.equal(bound.bound, 56);
  });

  test("bears one failure in a hundred calls, and gives way where most fail", () => {
    let failing = 0.01;
    const load = new Load(64, (_, place) => (place < failing ? [{ kind: "failed" }, 100] : [stream(200), 400]));
    load.run(60_000);
    assert.equal(load.bound.bound, 64);
    failing = 0.6;
    load.run(4_000);
    assert.ok(load.bound.bound < 64, String(load.bound.bound));
  });

  test("is not strangled when the calls themselves become longer for good", () => {
    let factor = 1;
    const load = new Load(200, (_, place) => {
      const tookMs = 200 * factor * (0.5 + place);
      return [stream(tookMs), tookMs];
    });
    load.run(60_000);
    factor = 10;
    load.run(600_000);
    assert.equal(load.bound.bound, 200);
  });

  test("judges whole answers apart from streams, however they are mixed", () => {
    const load = new Load(50, (_, place) => {
      if (place < 0.5) return [stream(200), 2_000];
      return [{ kind: "answered", firstOutputMs: null, totalMs: 20_000 }, 20_000];
    });
    load.run(600_000);
    assert.equal(load.bound.bound, 50);
  });

  test("is a whole number between one and the most, whatever comes", () => {
    const outcome = fc.oneof(
      fc.constantFrom<PassOutcome>({ kind: "limited" }, { kind: "failed" }, { kind: "neutral" }),
      fc.record({
        kind: fc.constant("answered" as const),
        firstOutputMs: fc.option(fc.integer({ min: 0, max: 1e7 })),
        totalMs: fc.integer({ min: 0, max: 1e7 }),
      }),
    );
    const ends = fc.array(fc.tuple(outcome, fc.boolean(), fc.nat(1_000)), { maxLength: 300 });
    fc.assert(
      fc.property(fc.constantFrom(1, 7, 100, Infinity), ends, (most, given) => {
        const bound = new AdaptiveBound(most);
        let nowMs = 0;
        for (const [each, full, tookMs] of given) {
          bound.ended(each, full, nowMs, (nowMs += tookMs));
          assert.ok(Number.isInteger(bound.bound) && bound.bound >= 1 && bound.bound <= most, String(bound.bound));
        }
      }),
    );
  });

  test("comes down with what is configured, and does not jump up with it", () => {
    const bound = new AdaptiveBound(100);
    bound.configure(40);
    assert.equal(bound.bound, 40);
    bound.configure(100);
    assert.equal(bound.bound, 40);
  });
});
