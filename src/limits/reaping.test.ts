import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../test/support/eventually.ts";
import { createVirtualClock } from "../../test/support/virtual-clock.ts";
import { startReaping } from "./reaping.ts";

test("dead owners are looked for again and again, and told of when there are some; a failure is told once", async () => {
  const clock = createVirtualClock();
  const answers = [{ owners: 0, accounts: 0 }, null, null, { owners: 2, accounts: 3 }, null];
  const said: string[] = [];
  let asked = 0;
  const bank = {
    async reap() {
      const answer = answers[asked++];
      if (answer === null || answer === undefined) throw new Error("away");
      return answer;
    },
  };
  const reaping = startReaping({
    bank,
    clock,
    intervalMs: 100,
    reaped: ({ owners, accounts }) => said.push(`${owners} owners, ${accounts} accounts`),
    failed: (cause) => said.push(String(cause)),
  });
  for (let pass = 1; pass <= answers.length; pass++) {
    clock.advance(100);
    await eventually(`pass ${pass} is over`, () => asked === pass && clock.pendingCount === 1);
  }
  assert.deepEqual(said, ["Error: away", "2 owners, 3 accounts", "Error: away"]);
  await reaping[Symbol.asyncDispose]();
  clock.advance(1_000);
  assert.equal(asked, answers.length);
});
