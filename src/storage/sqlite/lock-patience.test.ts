import assert from "node:assert/strict";
import { test } from "node:test";
import { createLockPatience, type LockPatience } from "./lock-patience.ts";

const never = (): boolean => false;

/** How often a statement tries again that meets nothing but locks. */
function waitInVain(patience: LockPatience): number {
  let tries = 0;
  while (patience.metLock()) tries++;
  return tries;
}

test("who waited in vain is the last to wait for that lock", () => {
  const patience = createLockPatience(() => 1, never);
  assert.ok(waitInVain(patience) > 1000);
  assert.deepEqual([waitInVain(patience), waitInVain(patience)], [0, 0]);
});

test("whoever has written since, this connection or another, was not locked out: the next lock is waited for again", () => {
  let dataVersion = 1;
  const patience = createLockPatience(() => dataVersion, never);
  const whole = waitInVain(patience);
  patience.wrote();
  assert.equal(waitInVain(patience), whole);
  dataVersion++;
  assert.equal(waitInVain(patience), whole);
  assert.equal(waitInVain(patience), 0);
});

test("after the end all locks are waited for together, whoever writes between them", () => {
  let dataVersion = 1;
  const patience = createLockPatience(() => dataVersion++, never);
  const whole = waitInVain(patience);
  patience.wrote();
  patience.end();
  for (let tries = 0; tries < 1000; tries++) assert.ok(patience.metLock());
  patience.wrote();
  assert.equal(waitInVain(patience), whole - 1000);
  patience.wrote();
  assert.deepEqual([waitInVain(patience), waitInVain(patience)], [0, 0]);
});

test("once the end is over no lock is waited for, not even the first", () => {
  let isOver = false;
  const patience = createLockPatience(
    () => 1,
    () => isOver,
  );
  patience.end();
  assert.ok(patience.metLock());
  isOver = true;
  assert.equal(waitInVain(patience), 0);
});
