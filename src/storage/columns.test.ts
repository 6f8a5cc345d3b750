import assert from "node:assert/strict";
import { test } from "node:test";
import { zeroUsd } from "../kernel/money.ts";
import { emptyUsage, usageBuckets } from "../kernel/usage.ts";
import { growingColumns, toRow } from "./columns.ts";
import { toUsage } from "./rows.ts";

test("each bucket of usage stands in its own column", () => {
  const heldUsage = emptyUsage();
  for (const [index, bucket] of usageBuckets.entries()) heldUsage[bucket] = index + 1;
  const row = toRow(growingColumns, { attemptId: "att_1", heldUsage, heldCostNanoUsd: zeroUsd, heldAmounts: [] });
  assert.deepEqual(toUsage(row), heldUsage);
});
