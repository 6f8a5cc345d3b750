import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { planErrand, type Wants } from "./errand.ts";

const content: Wants = {
  free: 100n,
  stale: 0n,
  line: lineOf({}),
  isRecalled: false,
  mayAskAgain: true,
  expected: 0n,
  isRefused: () => false,
  isLookedAt: false,
  keep: null,
  target: 0n,
  lowWater: 0n,
  isReachable: true,
  isReportDue: false,
};

function lineOf({ eager = [], recalling = [] }: { eager?: readonly bigint[]; recalling?: readonly bigint[] }) {
  const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
  const first = (amounts: readonly bigint[]) => (amounts[0] === undefined ? undefined : { amount: amounts[0] });
  return {
    isEmpty: eager.length + recalling.length === 0,
    firstEager: first(eager),
    eagerAmount: sum(eager),
    firstRecalling: first(recalling),
    recallingAmount: sum(recalling),
  } as Wants["line"];
}

/** `draw need..want`, `return amount of free`. */
function plan(wants: Partial<Wants>): string {
  const errand = planErrand({ ...content, ...wants });
  if (errand === null) return "nothing";
  return errand.kind === "draw" ? `draw ${errand.need}..${errand.want}` : `return ${errand.free}`;
}

describe("a purse", () => {
  test("that has enough and no plans asks for nothing", () => {
    assert.equal(plan({}), "nothing");
  });

  test("draws what the first who waits lacks, and wants what all lack and recent use asks for", () => {
    assert.equal(plan({ line: lineOf({ eager: [130n, 50n] }) }), "draw 30..80");
    assert.equal(plan({ line: lineOf({ eager: [130n, 50n] }), target: 40n, expected: 7n }), "draw 30..127");
    assert.equal(plan({ line: lineOf({ eager: [130n] }), isRecalled: true, keep: 0n }), "draw 30..30");
  });

  test("gives back what is stale before it draws for who waits", () => {
    assert.equal(plan({ line: lineOf({ eager: [130n] }), stale: 5n }), "return 0");
    assert.equal(plan({ line: lineOf({ recalling: [130n] }), stale: 5n }), "return 0");
  });

  test("answers a recall with what is idle, be it nothing, before anything but who waits for a draw", () => {
    const line = lineOf({ recalling: [130n] });
    assert.equal(plan({ isRecalled: true, line, isLookedAt: true }), "return 100");
    assert.equal(plan({ isRecalled: true, expected: 60n }), "return 40");
    assert.equal(plan({ isRecalled: true, expected: 160n }), "return 0");
    assert.equal(plan({ isRecalled: true, free: 0n }), "return 0");
  });

  test("asks again for who waits for a recall, where it may", () => {
    const line = lineOf({ recalling: [130n, 20n] });
    assert.equal(plan({ line }), "draw 30..50");
    assert.equal(plan({ line, mayAskAgain: false }), "nothing");
  });

  test("draws what is expected to be taken, unless that was refused just now", () => {
    assert.equal(plan({ expected: 130n, target: 5n }), "draw 30..35");
    assert.equal(plan({ expected: 100n }), "nothing");
    assert.equal(plan({ expected: 130n, isRefused: (need) => need >= 30n }), "nothing");
  });

  test("draws what was taken and is not here", () => {
    assert.equal(plan({ free: -30n, target: 5n }), "draw 30..35");
    assert.equal(plan({ free: -30n, expected: 20n }), "draw 50..50");
    assert.equal(plan({ free: -30n, isRefused: () => true }), "nothing");
    assert.equal(plan({ free: -30n, isRecalled: true, keep: 0n }), "return 0");
  });

  test("reports refusals when it wants nothing else of the bank, which must be there", () => {
    assert.equal(plan({ isReportDue: true }), "return 0");
    assert.equal(plan({ isReportDue: true, target: 220n, lowWater: 110n }), "draw 1..120");
    assert.equal(plan({ isReportDue: true, isReachable: false }), "nothing");
  });

  test("draws the least where somebody wants to know how the account stands", () => {
    assert.equal(plan({ isLookedAt: true }), "draw 1..1");
  });

  test("gives back what may not stay, but nothing that is expected to be taken", () => {
    assert.equal(plan({ keep: 30n }), "return 70");
    assert.equal(plan({ keep: 100n }), "nothing");
    assert.equal(plan({ keep: 0n, expected: 60n }), "return 40");
    assert.equal(plan({ keep: 0n, expected: 100n }), "nothing");
    assert.equal(plan({ stale: 5n }), "return 0");
    assert.equal(plan({ stale: 5n, keep: 90n }), "return 10");
  });

  test("draws ahead below the low water, content with little", () => {
    assert.equal(plan({ target: 220n, lowWater: 110n }), "draw 1..120");
    assert.equal(plan({ target: 200n, lowWater: 100n }), "nothing");
    assert.equal(plan({ target: 220n, lowWater: 110n, isRefused: () => true }), "nothing");
  });

  test("gives nothing back while the bank does not answer", () => {
    assert.equal(plan({ isReachable: false, isRecalled: true, keep: 0n, stale: 5n }), "nothing");
    assert.equal(plan({ isReachable: false, line: lineOf({ eager: [130n] }), stale: 5n }), "draw 30..30");
  });
});
