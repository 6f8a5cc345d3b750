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
});

test("there is room for what can be drawn and what is free here, less what was overdrawn or taken beyond it here", () => {
  const outlook = new Outlook();
  outlook.learn(standing, 0);
  assert.equal(outlook.room(20n, anAllowance, 99_999), 35n);
  outlook.overdrew(25n);
  assert.deepEqual([outlook.drawable(anAllowance, 0), outlook.room(20n, anAllowance, 0)], [-10n, 10n]);
  assert.equal(outlook.room(-7n, anAllowance, 0), -17n);
  outlook.asking();
  outlook.overdrew(3n);
  outlook.learn(standing, 0);
  assert.equal(outlook.room(20n, anAllowance, 0), 32n, "what was overdrawn after the bank was asked it does not know");
});

test("what is given back can be drawn again, and is in nobody's hands", () => {
  const outlook = new Outlook();
  outlook.gaveBack(1n);
  outlook.learn(standing, 0);
  outlook.gaveBack(20n);
  assert.deepEqual([outlook.room(0n, anAllowance, 0), outlook.standing?.granted], [35n, 30n]);
});

test("a rate drains while nothing is asked, to nothing at the most", () => {
  const outlook = new Outlook();
  outlook.learn({ limit: 10n, spent: 8n, granted: 2n, suspense: 0n }, 1_000);
  assert.deepEqual(
    [1_000, 1_999, 2_000, 6_000, 60_000].map((nowMs) => outlook.drawable(rate, nowMs)),
    [0n, 0n, 1n, 5n, 10n],
  );
  assert.equal(outlook.drawable(rate, 0), 0n);
  assert.equal(outlook.fullInMs(4n, rate), 6_000);
  assert.equal(outlook.fullInMs(10n, rate), 0);
});
