import assert from "node:assert/strict";
import { test } from "node:test";
import { runOverspend } from "./run.ts";

for (const engine of ["sqlite", "postgres"] as const) {
  for (const policy of ["strict", "expected"] as const) {
    test(`processes that are killed under load never settle beyond the bound of a ${policy} budget on ${engine}`, async (context) => {
      const size = { processes: 8, requests: 2_000, fits: 300, kills: 3, seed: 5 };
      const findings = await runOverspend({ engine, policy, ...size }, (line) => context.diagnostic(line));
      assert.deepEqual(findings, []);
    });
  }
}
