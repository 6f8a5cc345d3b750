import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createOverride, listOverrides, revokeOverride } from "../../src/limits/operations/overrides.ts";
import { openAllowances } from "./allowance-place.ts";
import { numbersOf } from "./bank-steps.ts";
import { engines } from "./engines.ts";

const DAY_MS = 86_400_000;
const everything = { tenantId: null, allowanceId: null, inForceAtMs: null };

for (const engine of engines) {
  describe(`overrides of allowances on ${engine.name}`, () => {
    test("an override of the current window changes the open account at once, and its revocation changes it back", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const allowance = await deps.create({ window: "day" });
      await deps.use(allowance, 400n, 400n);
      const reference = { tenantId: null, allowance: "monthly" };
      const override = await createOverride(deps, reference, { limit: 5000n, nextWindows: null });
      assert.deepEqual([override.fromMs, override.untilMs], [Date.UTC(2027, 0, 15), Date.UTC(2027, 0, 16)]);
      assert.deepEqual(await numbersOf(deps.db, deps.account(allowance)), [5000n, 400n, 0n, 0n]);
      const revoked = await revokeOverride(deps, override.id);
      assert.deepEqual(revoked, { ...override, revokedAtMs: deps.clock.wallMs() });
      assert.deepEqual(await numbersOf(deps.db, deps.account(allowance)), [1000n, 400n, 0n, 0n]);
      deps.clock.advance(1000);
      assert.deepEqual(await revokeOverride(deps, override.id), revoked, "once is enough");
    });

    test("an override of the next windows holds for exactly those, across the change of clocks", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const allowance = await deps.create({ window: "day", timeZone: "Europe/Berlin" });
      deps.clock.advance(Date.UTC(2027, 2, 27, 12) - deps.clock.wallMs());
      const reference = { tenantId: null, allowance: "monthly" };
      const override = await createOverride(deps, reference, { limit: 7n, nextWindows: 2 });
      assert.deepEqual(
        [override.fromMs, override.untilMs].map((ms) => new Date(ms).toISOString()),
        ["2027-03-27T23:00:00.000Z", "2027-03-29T22:00:00.000Z"],
      );
      const limits: (bigint | undefined)[] = [];
      for (let day = 0; day < 4; day++) {
        await deps.use(allowance, 1n, 1n);
        limits.push((await numbersOf(deps.db, deps.account(allowance)))[0]);
        deps.clock.advance(DAY_MS);
      }
      assert.deepEqual(limits, [1000n, 7n, 7n, 1000n]);
    });

    test("one that overlaps with another is refused, one beside it is not", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      await deps.create({ window: "month" });
      const reference = { tenantId: null, allowance: "monthly" };
      const next = await createOverride(deps, reference, { limit: 1n, nextWindows: 2 });
      await createOverride(deps, reference, { limit: 2n, nextWindows: null });
      await assert.rejects(createOverride(deps, reference, { limit: 3n, nextWindows: 1 }), {
        code: "invalid_argument",
        param: "windows",
        message: new RegExp(
          `has an override for some of these windows already, ${next.id} from 2027-02-01T00:00:00.000Z to 2027-04-01T00:00:00.000Z. Revoke it first`,
        ),
      });
      await revokeOverride(deps, next.id);
      await createOverride(deps, reference, { limit: 3n, nextWindows: 1 });
    });

    test("rates, slots and lifetimes have no windows to override, and bad amounts and counts are refused", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      await deps.create({ name: "rate", meter: "requests", window: "minute" });
      await deps.create({ name: "slots", meter: "slots" });
      await deps.create({ name: "lifetime" });
      await deps.create({ name: "daily", window: "day" });
      const draft = { limit: 1n, nextWindows: 1 };
      for (const name of ["rate", "slots", "lifetime"]) {
        await assert.rejects(createOverride(deps, { tenantId: null, allowance: name }, draft), {
          code: "invalid_argument",
          message: /which has no windows to override\. Change its limit/,
        });
      }
      const daily = { tenantId: null, allowance: "daily" };
      for (const nextWindows of [0, 1001, 1.5, -1]) {
        await assert.rejects(createOverride(deps, daily, { limit: 1n, nextWindows }), { param: "windows" });
      }
      await assert.rejects(createOverride(deps, daily, { limit: -1n, nextWindows: 1 }), { param: "limit" });
      assert.deepEqual(await listOverrides(deps.db, everything), []);
    });

    test("what is over cannot be revoked, and leaves the list of those in force", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const { id } = await deps.create({ window: "day" });
      const reference = { tenantId: null, allowance: id };
      const today = await createOverride(deps, reference, { limit: 1n, nextWindows: null });
      const later = await createOverride(deps, reference, { limit: 2n, nextWindows: 3 });
      deps.clock.advance(DAY_MS);
      await assert.rejects(revokeOverride(deps, today.id), {
        code: "invalid_argument",
        message: /is over since 2027-01-16/,
      });
      await assert.rejects(revokeOverride(deps, "ovr_0"), { code: "not_found" });
      const inForceAtMs = deps.clock.wallMs();
      assert.deepEqual(await listOverrides(deps.db, { tenantId: null, allowanceId: id, inForceAtMs }), [later]);
      assert.deepEqual(await listOverrides(deps.db, { ...everything, tenantId: deps.tenantId }), [today, later]);
      assert.deepEqual(await listOverrides(deps.db, { ...everything, tenantId: deps.other.tenantId }), []);
    });
  });
}
