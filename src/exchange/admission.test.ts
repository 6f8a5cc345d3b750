import assert from "node:assert/strict";
import { test } from "node:test";
import { createAdmission, type AdmissionLimits } from "./admission.ts";

function atMost(concurrentRequests: number): AdmissionLimits {
  return { concurrentRequests, heldBytes: 1_000 };
}

test("under overload requests of priority batch are refused first", () => {
  const admission = createAdmission();
  for (let entered = 0; entered < 8; entered++) admission.enter(atMost(10), "batch");
  assert.throws(() => admission.enter(atMost(10), "batch"), { code: "overloaded", retryAfterMs: 1_000 });
  admission.enter(atMost(10), "interactive");
  admission.enter(atMost(10), "interactive");
  assert.throws(() => admission.enter(atMost(10), "interactive"), { code: "overloaded" });
  admission.leave();
  admission.enter(atMost(10), "interactive");
  assert.equal(admission.inFlight, 10);
});

test("while it drains nothing enters, and it is empty when the last has left", async () => {
  const admission = createAdmission();
  admission.enter(atMost(1), "batch");
  const drained = admission.drain();
  assert.throws(() => admission.enter(atMost(10), "interactive"), { code: "shutting_down" });
  admission.leave();
  await drained;
  assert.equal(admission.inFlight, 0);
});
