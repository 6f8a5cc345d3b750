import assert from "node:assert/strict";
import { test } from "node:test";
import { runLedgerSoak } from "./run.ts";

test("after faults, leaving callers and kill -9 the ledger equals the simulator's invoice to the nano-dollar", async (context) => {
  const result = await runLedgerSoak({ requests: 3_000, kills: 2, seed: 7, concurrency: 64, keep: false }, (text) =>
    context.diagnostic(text),
  );

  assert.deepEqual(result.findings.slice(0, 10), []);
  assert.equal(result.kills, 3, "two under load, one in the start after the second");
  const charges = new Map(result.charges.map((row) => [row.basis, row.charges]));
  for (const basis of ["reported", "drained", "metered", "worst-case", "none"]) {
    assert.ok((charges.get(basis) ?? 0) > 0, `no attempt was settled as ${basis}, so nothing is shown of it`);
  }
  for (const seen of ["complete", "error", "left", "lost"]) {
    const some = result.outcomes.filter((outcome) => outcome.seen === seen);
    assert.ok(some.length > 0, `no caller saw ${seen}`);
  }
});
