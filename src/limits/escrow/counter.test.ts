import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { anAllowance } from "../../../test/support/limits-world.ts";
import type { HeadgateError } from "../../kernel/errors.ts";
import type { Amount, Standing } from "../../storage/escrow/bank.ts";
import type { Allowance } from "../allowance.ts";
import { storeSilent } from "../refusal.ts";
import { Claim, type WaitingRoom } from "./claim.ts";
import { Counter, type CounterPurse } from "./counter.ts";
import { Hand } from "./hand.ts";
import { Outlook } from "./outlook.ts";
import type { Purse } from "./purse.ts";
import { Shortage } from "./shortage.ts";

/** A purse that asks nobody: the test says what the bank answers. */
class Place implements CounterPurse {
  readonly account = { accountId: "a", allowanceId: "alw_1", subject: "", windowStartMs: 0, windowEndMs: null };
  readonly allowance: Allowance;
  readonly hand = new Hand();
  readonly outlook = new Outlook();
  readonly shortage = new Shortage(1_000);
  readonly counter = new Counter(this);
  coversAll = false;
  recalls = 0;
  /** Counted. */
  refusals = 0;
  nowMs = 0;
  /** What became of each request that waited, by name. */
  readonly ended = new Map<string, string>();
  readonly #room: WaitingRoom = { order: 0, count: 0 };
  readonly #owner = { waitingCount: 0 };

  constructor(allowance: Partial<Allowance> = {}) {
    this.allowance = { ...anAllowance, ...allowance };
  }

  recall(): void {
    this.recalls++;
  }

  count(): void {
    this.refusals++;
  }

  covers(amount: Amount, order: number): boolean {
    return this.counter.covers(amount, order);
  }

  admit(claim: Claim): void {
    this.counter.admit(claim, this.nowMs);
  }

  dismiss(claim: Claim): void {
    this.counter.dismiss(claim);
  }

  expect(): void {}

  /** Throws where it is refused at once. */
  come(name: string, amount: Amount): Claim {
    const claim = new Claim(this.#room, this.#owner, [this as unknown as Purse], [amount], null, this.nowMs);
    const take = (): void => {
      this.hand.take(amount);
      this.ended.set(name, "served");
    };
    if (claim.attempt()) take();
    else claim.wait(take).catch((refusal: HeadgateError) => this.ended.set(name, refusal.code));
    return claim;
  }

  /** The bank's answer to a draw of `need`. */
  async answer(need: Amount, granted: Amount, standing: Partial<Standing>): Promise<void> {
    this.hand.receive(granted);
    const whole = { limit: this.allowance.limit, spent: 0n, granted: this.hand.all, suspense: 0n, ...standing };
    this.outlook.learn(whole, this.nowMs);
    if (granted === 0n) {
      this.shortage.refused(need, null, this.nowMs);
      this.counter.refuse(need, this.nowMs);
    }
    this.counter.serve();
    await Promise.resolve();
  }

  get waiting(): readonly string[] {
    return this.counter.line.claims.map(({ amount, isRecalling }) => `${amount} ${isRecalling ? "recall" : "draw"}`);
  }
}

describe("a request that waits for a draw", () => {
  test("is passed by nobody who comes after it, however little they need", async () => {
    const place = new Place();
    await place.answer(5n, 5n, {});
    place.come("large", 10n);
    place.come("small", 3n);
    assert.deepEqual([...place.ended], []);
    await place.answer(5n, 5n, {});
    assert.deepEqual([...place.ended], [["large", "served"]]);
    await place.answer(3n, 3n, {});
    assert.deepEqual([...place.ended.keys()], ["large", "small"]);
  });

  test("is refused with what it lacks as soon as the bank has, and those who lack less are not", async () => {
    const place = new Place({ limit: 100n });
    place.come("large", 50n);
    place.come("small", 10n);
    await place.answer(50n, 0n, { spent: 80n });
    assert.deepEqual([...place.ended], [["large", "budget_exhausted"]]);
    assert.deepEqual(place.waiting, ["10 draw"]);
  });

  test("lets those behind it go on when it leaves", async () => {
    const place = new Place();
    await place.answer(5n, 5n, {});
    const large = place.come("large", 10n);
    place.come("small", 3n);
    large.cancel();
    await Promise.resolve();
    assert.equal(place.ended.get("small"), "served");
  });
});

describe("a request that the bank has refused", () => {
  test("waits for a recall where others hold what it lacks, and is passed by who is content with less", async () => {
    const place = new Place({ limit: 100n });
    place.come("large", 50n);
    await place.answer(50n, 0n, { granted: 90n });
    assert.deepEqual([place.waiting, place.recalls], [["50 recall"], 1]);
    await place.answer(5n, 5n, { granted: 95n });
    place.come("small", 5n);
    assert.equal(place.ended.get("small"), "served");
    assert.deepEqual(place.waiting, ["50 recall"]);
  });

  test("is refused at once where nobody else holds anything, whatever seems to be left", async () => {
    const place = new Place({ limit: 100n });
    place.come("one", 50n);
    await place.answer(50n, 0n, { granted: 0n });
    assert.deepEqual([place.ended.get("one"), place.recalls], ["budget_exhausted", 0]);
  });

  test("is refused at once where all that others hold would not do", async () => {
    const place = new Place({ limit: 100n });
    place.come("one", 50n);
    await place.answer(50n, 0n, { spent: 51n, granted: 49n });
    assert.deepEqual([place.ended.get("one"), place.recalls], ["budget_exhausted", 0]);
  });

  test("is refused at once where a rate is too small for it, though all hands together hold more", async () => {
    const place = new Place({ meter: "tokens", window: "minute", limit: 10n });
    await place.answer(5n, 5n, { granted: 5n });
    place.come("one", 11n);
    await place.answer(6n, 0n, { spent: -4n, granted: 13n });
    assert.deepEqual([place.ended.get("one"), place.recalls], ["rate_limited", 0]);
  });

  test("waits for a draw again when there is room for it, and is refused when its wait is over and there is none", async () => {
    const place = new Place({ limit: 100n });
    place.come("large", 60n);
    place.come("middle", 40n);
    place.come("small", 20n);
    await place.answer(20n, 0n, { granted: 90n });
    assert.deepEqual(place.waiting, ["60 recall", "40 recall", "20 recall"]);
    place.nowMs = 999;
    await place.answer(60n, 0n, { granted: 75n });
    assert.deepEqual(place.waiting, ["60 recall", "40 recall", "20 draw"]);
    place.nowMs = 1_000;
    await place.answer(60n, 0n, { granted: 75n });
    assert.deepEqual(place.waiting, ["20 draw"]);
    assert.deepEqual([place.ended.get("large"), place.ended.get("middle")], ["budget_exhausted", "budget_exhausted"]);
    assert.equal(place.refusals, 2, "who waits is not counted");
  });

  test("joins those who wait for a recall that is under way, and is refused at once when that was in vain", async () => {
    const place = new Place({ limit: 100n });
    place.come("first", 50n);
    await place.answer(50n, 0n, { granted: 90n });
    place.nowMs = 200;
    place.come("second", 50n);
    assert.deepEqual([place.waiting, place.recalls], [["50 recall", "50 recall"], 1]);
    place.nowMs = 1_000;
    await place.answer(50n, 0n, { granted: 90n });
    assert.deepEqual([...place.ended.values()], ["budget_exhausted", "budget_exhausted"]);
    place.nowMs = 1_100;
    assert.throws(() => place.come("third", 50n), { code: "budget_exhausted" });
  });

  test("is told so when it is sent away; who waits for an answer is told that there is none", async () => {
    const place = new Place({ limit: 100n });
    place.come("refused", 50n);
    await place.answer(50n, 0n, { granted: 90n });
    place.nowMs = 10;
    place.come("unanswered", 20n);
    place.nowMs = 20;
    place.come("late", 30n);
    place.counter.sendAway(20, storeSilent(250), 20);
    await Promise.resolve();
    assert.deepEqual(
      [...place.ended],
      [
        ["refused", "budget_exhausted"],
        ["unanswered", "storage_unavailable"],
      ],
    );
    assert.equal(place.refusals, 1);
    assert.deepEqual(place.waiting, ["30 draw"]);
  });
});

test("everybody goes on when nothing limits the account any more, or nobody is refused", async () => {
  const place = new Place({ limit: 100n });
  place.come("one", 150n);
  place.come("two", 5n);
  place.coversAll = true;
  assert.equal(place.covers(1_000n, 99), true);
  place.hand.receive(155n);
  place.counter.serve();
  await Promise.resolve();
  assert.deepEqual([...place.ended.values()], ["served", "served"]);
});

test("a claim has one deadline at each account, however often it comes back", () => {
  const claim = new Claim({ order: 0, count: 0 }, { waitingCount: 0 }, [], [], null, 0);
  assert.equal(claim.deadlineAt("a", 1_000), 1_000);
  assert.equal(claim.deadlineAt("b", 1_500), 1_500);
  assert.equal(claim.deadlineAt("a", 2_000), 1_000);
});
