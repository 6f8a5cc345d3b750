import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Random } from "../../../test/simulation/world/random.ts";
import { defaultConfig } from "../../config/defaults.ts";
import type { RequestView } from "../../dialects/dialect.ts";
import { RecentTimes } from "../../routing/health/recent-times.ts";
import { type Patience, patienceWith, type SilentCall } from "./patience.ts";

const ANSWERS = 4_000;

interface Case {
  readonly stream?: boolean;
  readonly maxOutputTokens?: number | null;
  readonly reasoning?: boolean;
  readonly thinksUnasked?: boolean;
  readonly generates?: boolean;
  readonly leftMs?: number;
  /** What is slow for the target; `null`: not known. */
  readonly firstOutputMs?: number | null;
  readonly answerMs?: number | null;
  readonly slowestMs?: number | null;
}

const { timeouts } = defaultConfig({});
const policy: SilentCall["policy"] = { hedge: { mode: "off", afterMs: 0 } };

/** With the default of 8 s. */
function switchMsOf(given: Case): number {
  return patienceOf(given).switchMs;
}

function patienceOf(given: Case): Patience {
  const { firstOutputMs = null, answerMs = null, slowestMs = answerMs } = given;
  const target = {
    slowFirstOutputMs: () => firstOutputMs,
    slowAnswerMs: () => answerMs,
    slowestAnswerMs: () => slowestMs,
  };
  const {
    stream = false,
    maxOutputTokens = null,
    reasoning = false,
    thinksUnasked = false,
    generates = true,
    leftMs = 600_000,
  } = given;
  const asked = { stream, needs: { reasoning } as RequestView["needs"], maxOutputTokens };
  return patienceWith({ policy, timeouts, target, asked, thinksUnasked, generates, leftMs }, 0);
}

describe("a stream", () => {
  test("has the configured time to begin, four times that for reasoning, or twice what is slow for its target", () => {
    assert.equal(switchMsOf({ stream: true }), 8_000);
    assert.equal(switchMsOf({ stream: true, reasoning: true }), 32_000);
    assert.equal(switchMsOf({ stream: true, firstOutputMs: 1_000 }), 8_000);
    assert.equal(switchMsOf({ stream: true, firstOutputMs: 20_000 }), 40_000);
  });
});

describe("a call that has little time", () => {
  test("is left in half of it, which says nothing of a target that may need longer", () => {
    const { switchMs, tellingMs } = patienceOf({ stream: true, leftMs: 2_000 });
    assert.deepEqual([switchMs, tellingMs], [1_000, 8_000]);
    assert.deepEqual(patienceOf({ leftMs: 2_000 }).tellingMs, 24_000);
  });

  test("says of a target that is known whether it takes twice what is slow for it", () => {
    assert.equal(patienceOf({ stream: true, leftMs: 2_000, firstOutputMs: 400 }).tellingMs, 800);
    assert.equal(patienceOf({ leftMs: 2_000, answerMs: 6_000 }).tellingMs, 12_000);
    assert.equal(patienceOf({ stream: true, leftMs: 2_000, firstOutputMs: 5 }).tellingMs, 250);
  });
});

describe("a whole answer", () => {
  test("has the time to begin and to write what it may, at fifty tokens a second", () => {
    assert.equal(switchMsOf({ maxOutputTokens: 1 }), 8_020);
    assert.equal(switchMsOf({ maxOutputTokens: 100 }), 10_000);
    assert.equal(switchMsOf({ maxOutputTokens: 500 }), 18_000);
  });

  test("has three times the beginning where it may be of any length", () => {
    assert.equal(switchMsOf({}), 24_000);
    assert.equal(switchMsOf({ maxOutputTokens: 100_000 }), 24_000);
    assert.equal(switchMsOf({ reasoning: true }), 48_000);
    assert.equal(switchMsOf({ firstOutputMs: 10_000 }), 36_000);
  });

  test("has no more than a stream's beginning from a target whose answers are short", () => {
    assert.equal(switchMsOf({ answerMs: 3_000 }), 8_000);
    assert.equal(switchMsOf({ answerMs: 3_000, maxOutputTokens: 100_000 }), 8_000);
  });

  test("has twice what is slow for its target, or its slowest of late, if few answers are that long", () => {
    assert.equal(switchMsOf({ answerMs: 6_000 }), 12_000);
    assert.equal(switchMsOf({ answerMs: 6_000, slowestMs: 20_000 }), 20_000);
  });

  test("has no more than one of unknown length, or half more than what is slow for its target", () => {
    assert.equal(switchMsOf({ answerMs: 6_000, slowestMs: 90_000 }), 24_000);
    assert.equal(switchMsOf({ answerMs: 20_000, slowestMs: 90_000 }), 30_000);
    assert.equal(switchMsOf({ answerMs: 100_000 }), 150_000);
  });

  test("that nobody writes has the time to begin", () => {
    assert.equal(switchMsOf({ generates: false }), 8_000);
  });

  test("has the time for reasoning, although the target's answers are short, where not all of them are by thinking", () => {
    assert.equal(switchMsOf({ answerMs: 3_000, reasoning: true }), 32_000);
    assert.equal(switchMsOf({ answerMs: 3_000, thinksUnasked: true }), 8_000);
    assert.equal(switchMsOf({ thinksUnasked: true }), 48_000);
    assert.equal(switchMsOf({ stream: true, thinksUnasked: true }), 32_000);
  });
});

test("nobody waits for longer than half of what is left", () => {
  assert.equal(switchMsOf({ stream: true, leftMs: 10_000 }), 5_000);
  assert.equal(switchMsOf({ answerMs: 100_000, leftMs: 10_000 }), 5_000);
});

test("a hedge begins when it is told to, or with what is slow for the target's answers of that form", () => {
  const target = { slowFirstOutputMs: () => 700, slowAnswerMs: () => 3_000, slowestAnswerMs: () => 9_000 };
  const hedgeMsOf = (stream: boolean, hedge: SilentCall["policy"]["hedge"], switchMs = 8_000): number => {
    const asked = { stream, needs: {} as RequestView["needs"], maxOutputTokens: null };
    const call = {
      policy: { hedge },
      timeouts: { switchMs },
      target,
      asked,
      thinksUnasked: false,
      generates: true,
      leftMs: 60_000,
    };
    return patienceWith(call, 0).hedgeMs;
  };
  assert.equal(hedgeMsOf(true, { mode: "on", afterMs: 0 }), 700);
  assert.equal(hedgeMsOf(false, { mode: "on", afterMs: 0 }, 0), 3_000);
  assert.equal(hedgeMsOf(false, { mode: "on", afterMs: 50 }), 50);
  assert.equal(hedgeMsOf(true, { mode: "off", afterMs: 50 }), Infinity);
});

describe("of whole answers, whatever they are like,", () => {
  const random = new Random(1);
  /** Near enough: the sum of twelve uniform draws. */
  const normal = (): number => Array.from({ length: 12 }, () => random.unit()).reduce((sum, draw) => sum + draw) - 6;
  const tokensOf: Readonly<Record<string, () => number>> = {
    "of one length": () => 60,
    "short ones": () => random.between(20, 80),
    "long ones": () => random.between(1_500, 4_000),
    "of widely different lengths": () => 200 * Math.exp(1.1 * normal()),
    "short ones and few long ones": () => (random.chance(0.97) ? 50 : random.between(1_500, 3_000)),
  };
  for (const [name, tokens] of Object.entries(tokensOf)) {
    test(`at most three of a hundred are asked for twice without need: ${name}`, () => {
      for (const tokensPerSecond of [20, 60, 120]) {
        const times = new RecentTimes();
        const target = {
          slowFirstOutputMs: () => null,
          slowAnswerMs: (nowMs: number) => times.slowMs(nowMs),
          slowestAnswerMs: (nowMs: number) => times.slowestMs(nowMs),
        };
        const asked = { stream: false, needs: {} as RequestView["needs"], maxOutputTokens: null };
        const call = { policy, timeouts, target, asked, thinksUnasked: false, generates: true, leftMs: Infinity };
        let twice = 0;
        for (let answer = 0; answer < ANSWERS; answer++) {
          const tookMs = 600 * Math.exp(0.4 * normal()) + (tokens() / tokensPerSecond) * 1_000;
          if (tookMs > patienceWith(call, answer * 1_000).switchMs) twice++;
          times.add(tookMs, answer * 1_000);
        }
        assert.ok(twice <= 0.03 * ANSWERS, `${twice} of ${ANSWERS} at ${tokensPerSecond} tokens a second`);
      }
    });
  }
});
