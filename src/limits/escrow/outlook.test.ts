import assert from "node:assert/strict";
import { test } from "node:test";
import { anAllowance } from "../../../test/support/limits-world.ts";
import type { Allowance } from "../allowance.ts";
import { Outlook } from "./outlook.ts";

const rate: Allowance = { ...anAllowance, meter: "requests", window: "minute", limit: 60n, burst: 10n };
const standing = { limit: 100n, spent: 30n, granted: 50n, suspense: 5n };

test("nothing is known before the bank has spoken", () => {
  const outlook = new Outlook();
  assert.deepEqual([outlook.standing, outlook.room(5n, anAllowance, 0)], [null, null]);
  assert.equal(outlook.hadRoom(5n, 5n, anAllowance, 0), true);
});

test("there is room for what can be drawn and what is free here, less what was overdrawn here since", () => {
  const outlook = new Outlook();
  outlook.learn(standing, 20n, anAllowance, 0);
  assert.equal(outlook.room(20n, anAllowance, 99_999), 35n);
  outlook.overdrew(25n);
  assert.deepEqual([outlook.drawable(anAllowance, 0), outlook.room(20n, anAllowance, 0)], [-10n, 10n]);
  outlook.learn(standing, 0n, anAllowance, 0);
  assert.equal(outlook.room(20n, anAllowance, 0), 35n);
});

test("a rate drains while nothing is asked, to nothing at the most", () => {
  const outlook = new Outlook();
  outlook.learn({ limit: 10n, spent: 8n, granted: 2n, suspense: 0n }, 2n, rate, 1_000);
  assert.deepEqual(
    [1_000, 1_999, 2_000, 6_000, 60_000].map((nowMs) => outlook.drawable(rate, nowMs)),
    [0n, 0n, 1n, 5n, 10n],
  );
  assert.equal(outlook.drawable(rate, 0), 0n);
  assert.equal(outlook.fullInMs(4n, rate), 6_000);
  assert.equal(outlook.fullInMs(10n, rate), 0);
});

test("an allowance that does not refuse had no room for what passes its limit", () => {
  const soft: Allowance = { ...anAllowance, mode: "soft" };
  const outlook = new Outlook();
  outlook.learn({ limit: 100n, spent: 95n, granted: 20n, suspense: 0n }, 20n, soft, 0);
  assert.equal(outlook.hadRoom(5n, 20n, soft, 0), true);
  assert.equal(outlook.hadRoom(5n, 15n, soft, 0), false);
});

test("a rate that does not refuse runs over, and what ran over had no room, each of it once", () => {
  const shadow: Allowance = { ...rate, mode: "shadow" };
  const outlook = new Outlook();
  outlook.learn({ limit: 10n, spent: 0n, granted: 4n, suspense: 0n }, 4n, shadow, 0);
  // There were 6 left, and 10 more were granted: the bank shows a full bucket.
  outlook.learn({ limit: 10n, spent: -4n, granted: 14n, suspense: 0n }, 10n, shadow, 0);
  const judged = Array.from({ length: 14 }, (_, index) => outlook.hadRoom(1n, BigInt(14 - index), shadow, 0));
  assert.equal(judged.filter((hadRoom) => hadRoom).length, 10);
  // Nothing of what was granted to a bucket that had run over before had room.
  outlook.learn({ limit: 10n, spent: -2n, granted: 15n, suspense: 0n }, 5n, shadow, 0);
  assert.equal(outlook.hadRoom(1n, 5n, shadow, 0), false);
  // Three have drained three seconds later.
  const later = Array.from({ length: 4 }, (_, index) => outlook.hadRoom(1n, BigInt(4 - index), shadow, 6_000));
  assert.deepEqual(later, [true, true, true, false]);
});
