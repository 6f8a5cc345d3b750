import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Amount } from "../../storage/escrow/bank.ts";
import type { Regime } from "../allowance.ts";
import { type Bench, Judge, type Taker } from "./judge.ts";
import { Hand } from "./hand.ts";
import { Outlook } from "./outlook.ts";

/** A purse of which the test says what is known. */
class Place implements Bench {
  readonly account = { accountId: "a", allowanceId: "alw_1", subject: "", windowStartMs: 0, windowEndMs: null };
  readonly regime: Regime;
  readonly hand = new Hand();
  readonly outlook = new Outlook();
  readonly judge = new Judge(this);
  isUnlimited = false;
  isStale = false;
  /** What could still be drawn; `null`: unknown. */
  drawable: Amount | null = null;
  looks = 0;
  readonly told: string[] = [];
  readonly #names = new Map<Taker, string>();

  constructor(regime: Regime = "budget") {
    this.regime = regime;
  }

  lookSoon(): void {
    this.looks++;
  }

  room(): Amount | null {
    return this.drawable === null || this.isUnlimited ? null : this.drawable + this.hand.free;
  }

  passed(taker: Taker): void {
    this.told.push(this.#names.get(taker) ?? "");
  }

  take(name: string, amount: Amount): void {
    const forgo = (_: string, forgone: Amount): void => {
      this.told.push(`${name} forgoes`);
      this.hand.release(forgone, false);
    };
    const taker = { heldOf: () => 0n, countAt: () => true, forgo };
    this.#names.set(taker, name);
    if (this.judge.admits(amount, taker)) this.hand.take(amount);
  }
}

describe("who takes when the standing is known", () => {
  test("is judged at once by the room that those before left", () => {
    const place = new Place();
    place.drawable = 25n;
    for (const name of ["a", "b", "c", "d"]) place.take(name, 10n);
    assert.deepEqual([place.told, place.hand.held, place.looks], [["c", "d"], 40n, 0]);
  });

  test("does not count at a rate that has no room", () => {
    const place = new Place("rate");
    place.drawable = 25n;
    for (const name of ["a", "b", "c"]) place.take(name, 10n);
    place.take("small", 5n);
    assert.deepEqual([place.told, place.hand.held], [["c"], 25n]);
  });
});

describe("who takes when it is not known, or was long ago", () => {
  test("is judged when it is, in order, whatever was given back or used meanwhile", () => {
    const place = new Place();
    for (const name of ["a", "b", "c", "d"]) place.take(name, 10n);
    place.judge.decide();
    assert.deepEqual([place.told, place.looks, place.judge.isIdle], [[], 4, false]);
    place.hand.receive(40n);
    // One has settled with half of what it held, and the bank knows.
    place.hand.settle(10n, 5n);
    place.hand.release(5n, false);
    place.drawable = 25n - 40n;
    place.judge.decide();
    assert.deepEqual([place.told, place.judge.isIdle], [["c", "d"], true]);
    place.judge.decide();
    assert.equal(place.told.length, 2);
  });

  test("is kept where not all is in hand, and judged at once where it is", () => {
    const place = new Place();
    place.isStale = true;
    place.drawable = 0n;
    place.hand.receive(10n);
    place.take("in hand", 10n);
    place.take("beyond", 10n);
    assert.deepEqual([place.told, place.judge.isIdle], [[], false]);
    place.judge.decide();
    assert.deepEqual(place.told, ["beyond"]);
  });

  test("forgoes of a rate what there was no room for, and those after it have it", () => {
    const place = new Place("rate");
    place.outlook.learn({ limit: 25n, spent: 0n, granted: 0n, suspense: 0n }, 0);
    place.take("a", 20n);
    place.take("large", 15n);
    place.take("small", 5n);
    place.drawable = 25n;
    place.judge.decide();
    assert.deepEqual([place.told, place.hand.held], [["large", "large forgoes"], 25n]);
  });

  test("is not judged by more room than a rate can have", () => {
    const place = new Place("rate");
    place.outlook.learn({ limit: 25n, spent: 25n, granted: 0n, suspense: 0n }, 0);
    for (const name of ["a", "b", "c"]) place.take(name, 10n);
    for (const _ of ["a", "b", "c"]) place.hand.settle(10n, 10n);
    place.drawable = 0n;
    place.judge.decide();
    assert.deepEqual(place.told, ["c", "c forgoes"]);
  });

  test("is not judged where nothing limits the account after all", () => {
    const place = new Place();
    place.take("a", 10n);
    place.isUnlimited = true;
    place.judge.decide();
    assert.deepEqual([place.told, place.judge.isIdle], [[], true]);
  });

  test("is kept up to a number, so that an outage does not fill the memory", () => {
    const place = new Place();
    for (let taker = 0; taker < 10_100; taker++) place.take("one", 1n);
    place.drawable = 0n;
    place.hand.receive(10_100n);
    place.drawable = -10_100n;
    place.judge.decide();
    assert.equal(place.told.length, 10_000);
  });
});

test("who is kept under an owner that is over is judged under the next, which knows nothing of what they hold", () => {
  const [former, next] = [new Place(), new Place()];
  for (const name of ["a", "b", "c"]) former.take(name, 10n);
  next.judge.inherit(former.judge);
  assert.deepEqual([former.judge.isIdle, next.judge.isIdle, next.looks], [true, false, 1]);
  next.drawable = 25n;
  next.judge.decide();
  assert.equal(next.told.length, 1);
});
