import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Amount } from "../../storage/escrow/bank.ts";
import type { Regime } from "../allowance.ts";
import { type Bench, Judge, type Taker } from "./judge.ts";
import { Hand } from "./hand.ts";
import { Outlook } from "./outlook.ts";
import type { KeptRoom } from "./takings.ts";

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
  readonly keptRoom: KeptRoom;
  readonly #names = new WeakMap<Taker, string>();

  constructor(regime: Regime = "budget", keptRoom: KeptRoom = { left: 100 }) {
    this.regime = regime;
    this.keptRoom = keptRoom;
  }

  lookSoon(): void {
    this.looks++;
  }

  room(): Amount | null {
    return this.drawable === null || this.isUnlimited ? null : this.drawable + this.hand.free;
  }

  passed(taker: Taker): void {
    if (taker.countAt("a")) this.told.push(this.#names.get(taker) ?? "");
  }

  passedOver(): void {
    this.told.push("one that is over");
  }

  take(name: string, amount: Amount, request?: Request): void {
    const forgo = (_: string, forgone: Amount): void => {
      this.told.push(`${name} forgoes`);
      this.hand.release(forgone, false);
    };
    const taker = request?.taker ?? takerOf(new Request(), forgo);
    this.#names.set(taker, name);
    if (this.judge.admits(amount, taker)) this.hand.take(amount);
  }
}

/** Of which one taker takes. */
class Request {
  isOver = false;
  isCounted = false;
  readonly taker: Taker = takerOf(this, () => {});
}

function takerOf(request: Request, forgo: Taker["forgo"]): Taker {
  return {
    heldOf: () => 0n,
    request,
    get isOver() {
      return request.isOver;
    },
    countAt: () => !request.isCounted && (request.isCounted = true),
    mayCountAt: () => !request.isCounted,
    forgo,
  };
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

  test("is kept up to a number that all judges share, so that an outage does not fill the memory", () => {
    const room = { left: 150 };
    const [place, other] = [new Place("budget", room), new Place("budget", room)];
    for (let taker = 0; taker < 100; taker++) for (const each of [place, other]) each.take("one", 1n);
    assert.equal(room.left, 0);
    for (const each of [place, other]) {
      each.drawable = 0n;
      each.judge.decide();
      assert.equal(each.told.length, 75);
    }
    assert.equal(room.left, 150);
  });
});

test("who is kept under an owner that is finished leaves room to others", () => {
  const room = { left: 10 };
  const place = new Place("budget", room);
  for (const name of ["a", "b", "c"]) place.take(name, 10n);
  assert.equal(room.left, 7);
  place.judge.forget();
  place.judge.forget();
  assert.deepEqual([room.left, place.judge.isIdle], [10, true]);
});

describe("a request that is over before its standing is known", () => {
  /** Takes ten for each request, and ends it. */
  function takeAndEnd(place: Place, count: number): readonly Request[] {
    return Array.from({ length: count }, () => {
      const request = new Request();
      place.take("a taker", 10n, request);
      request.isOver = true;
      return request;
    });
  }

  test("is judged by its place among the others", () => {
    const place = new Place();
    takeAndEnd(place, 4);
    place.take("one that lives", 10n);
    place.drawable = 25n;
    place.judge.decide();
    assert.deepEqual(place.told, ["one that is over", "one that is over", "one that lives"]);
  });

  test("is let go of, however many there are", async () => {
    const place = new Place("budget", { left: 1_000 });
    const requests = takeAndEnd(place, 500).map((request) => new WeakRef(request));
    await nextTurn();
    setFlagsFromString("--expose-gc");
    (runInNewContext("gc") as () => void)();
    const known = requests.filter((request) => request.deref() !== undefined).length;
    assert.ok(known <= 2, `${known} of 500 requests that are over are in memory`);
    place.take("one that lives", 10n);
    place.drawable = 0n;
    place.judge.decide();
    assert.equal(place.told.filter((told) => told === "one that is over").length, 500);
  });

  test("counts once, however often it took, and not where it was counted before", () => {
    const place = new Place();
    const [twice, counted] = [new Request(), new Request()];
    counted.isCounted = true;
    for (const request of [twice, counted, twice, counted]) place.take("a taker", 10n, request);
    for (const request of [twice, counted]) request.isOver = true;
    takeAndEnd(place, 1);
    place.drawable = 0n;
    place.judge.decide();
    assert.equal(place.told.length, 2);
  });

  test("takes room of a rate from those after it only if there was room for it", () => {
    const place = new Place("rate");
    place.outlook.learn({ limit: 25n, spent: 0n, granted: 0n, suspense: 0n }, 0);
    takeAndEnd(place, 3);
    place.take("small", 5n);
    place.take("large", 15n);
    place.drawable = 25n;
    place.judge.decide();
    assert.deepEqual(place.told, ["one that is over", "large", "large forgoes"]);
  });

  test("is judged under the next owner too", () => {
    const [former, next] = [new Place(), new Place()];
    takeAndEnd(former, 3);
    former.take("one that lives", 10n);
    takeAndEnd(next, 1);
    next.judge.inherit(former.judge);
    next.drawable = 5n;
    next.judge.decide();
    assert.deepEqual([next.told.length, former.judge.isIdle], [5, true]);
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
