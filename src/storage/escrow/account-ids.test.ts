import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleAllowance } from "../../../test/contract/bank-samples.ts";
import { fc } from "../../../test/support/properties.ts";
import { accountKeyOf, allowanceIdOf } from "./account-ids.ts";
import { windowAt } from "./calendar.ts";

const noonMs = Date.UTC(2027, 0, 15, 12);
const zone = "America/Sao_Paulo";

test("an id says allowance, subject and window, whatever the subject is", () => {
  const windows = ["minute", "hour", "day", "week", "month"] as const;
  fc.assert(
    fc.property(fc.string(), fc.constantFrom(...windows), (subject, window) => {
      const allowance = sampleAllowance("alw_1", { window_kind: window, time_zone: zone });
      const { startMs, endMs } = windowAt(window, zone, noonMs);
      const accountId = `alw_1|${subject}|${startMs}`;
      const key = { accountId, allowanceId: "alw_1", subject, windowStartMs: startMs, windowEndMs: endMs };
      assert.deepEqual(accountKeyOf(accountId, allowance), key);
      assert.equal(allowanceIdOf(accountId), "alw_1");
    }),
  );
});

test("a lifetime, a rate and slots have one account for all time", () => {
  for (const columns of [
    {},
    { meter: "tokens", window_kind: "minute" },
    { meter: "requests", window_kind: "hour" },
    { meter: "slots" },
  ] as const) {
    const allowance = sampleAllowance("alw_1", columns);
    assert.equal(accountKeyOf("alw_1||0", allowance)?.windowEndMs, null);
    assert.equal(accountKeyOf(`alw_1||${noonMs - (noonMs % 3_600_000)}`, allowance), null);
  }
});

test("what is no window of the allowance, or no id at all, is no account", () => {
  const daily = sampleAllowance("alw_1", { window_kind: "day" });
  const day = Date.UTC(2027, 0, 15);
  assert.notEqual(accountKeyOf(`alw_1||${day}`, daily), null);
  for (const accountId of [
    `alw_1||${day + 1}`,
    "alw_1||",
    "alw_1||x",
    "alw_1||1e+300",
    "alw_1||8640000000000000",
    `alw_1|${day}`,
    "alw_1",
    "",
  ]) {
    assert.equal(accountKeyOf(accountId, daily), null, accountId);
  }
  assert.equal(allowanceIdOf("alw_1"), "");
});
