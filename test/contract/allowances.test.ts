import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Kysely } from "kysely";
import type { AllowanceScope } from "../../src/limits/allowance.ts";
import { setAllowance, setAllowanceDisabled } from "../../src/limits/operations/change.ts";
import { type AllowanceDraft, createAllowance } from "../../src/limits/operations/create.ts";
import { findAllowance, listAllowances } from "../../src/limits/operations/operations.ts";
import type { Database } from "../../src/storage/schema.ts";
import { openAllowances } from "./allowance-place.ts";
import { numbersOf } from "./bank-steps.ts";
import { engines } from "./engines.ts";

for (const engine of engines) {
  describe(`allowances on ${engine.name}`, () => {
    test("an allowance is kept as it was drawn up, with defaults for the rest", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const scope: AllowanceScope = {
        kind: "end-user",
        tenantId: deps.tenantId,
        projectId: deps.projectId,
        keyId: deps.keyId,
        endUser: "anna|42",
      };
      const full: AllowanceDraft = {
        name: "everything",
        scope,
        meter: "tokens",
        limit: 2n ** 63n - 1n,
        window: "week",
        timeZone: "Europe/Berlin",
        models: ["openai/*", "fast"],
        operation: "chat",
        mode: "soft",
        policy: "strict",
        alertPercents: [100, 80],
      };
      const created = await createAllowance(deps, full);
      const life = { id: created.id, burst: null, createdAtMs: deps.clock.wallMs(), disabledAtMs: null };
      assert.deepEqual(created, { ...full, ...life, alertPercents: [80, 100] });
      const plain = await deps.create({ name: "plain" });
      const { window, timeZone, mode, policy, alertPercents, models, operation } = plain;
      assert.deepEqual(
        [window, timeZone, mode, policy, alertPercents, models, operation],
        ["lifetime", "UTC", "enforce", "expected", [], null, null],
      );
      assert.deepEqual(await listAllowances(deps.db, deps.tenantId), [created, plain]);
      assert.deepEqual(await listAllowances(deps.db, deps.other.tenantId), []);
    });

    test("it is found by name and by id, and by name alone only where that is clear", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const own = await deps.create();
      const { other } = deps;
      const scope: AllowanceScope = {
        kind: "tenant",
        tenantId: other.tenantId,
        projectId: null,
        keyId: null,
        endUser: null,
      };
      const theirs = await createAllowance(deps, { name: "monthly", scope, meter: "money", limit: 5n });
      assert.deepEqual(await findAllowance(deps.db, { tenantId: null, allowance: own.id }), own);
      assert.deepEqual(await findAllowance(deps.db, { tenantId: other.tenantId, allowance: "monthly" }), theirs);
      await assert.rejects(findAllowance(deps.db, { tenantId: null, allowance: "monthly" }), {
        code: "invalid_argument",
        message: /More than one tenant has an allowance named "monthly"/,
      });
      await assert.rejects(findAllowance(deps.db, { tenantId: other.tenantId, allowance: own.id }), {
        code: "not_found",
      });
    });

    test("a taken name, and what a scope names that is not there or somebody else's, are refused", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      await deps.create();
      await assert.rejects(deps.create(), { code: "already_exists", param: "name" });
      const { tenantId, projectId, keyId, other } = deps;
      const nobody = { projectId: null, keyId: null, endUser: null };
      const refused: readonly (readonly [AllowanceScope, string, RegExp])[] = [
        [{ kind: "tenant", ...nobody, tenantId: "ten_0" }, "not_found", /no tenant "ten_0"/],
        [{ kind: "project", ...nobody, tenantId, projectId: "prj_0" }, "not_found", /no project "prj_0"/],
        [{ kind: "key", ...nobody, tenantId, keyId: "key_0" }, "not_found", /no key "key_0"/],
        [
          { kind: "project", ...nobody, tenantId, projectId: other.projectId },
          "invalid_argument",
          /project prj_\w+ belongs to another tenant/,
        ],
        [
          { kind: "key", ...nobody, tenantId, keyId: other.keyId },
          "invalid_argument",
          /key key_\w+ belongs to another tenant/,
        ],
        [
          { kind: "tenant", ...nobody, tenantId, projectId },
          "invalid_argument",
          /scope tenant is not about one project/,
        ],
        [{ kind: "project", ...nobody, tenantId, keyId }, "invalid_argument", /scope project is not about one key/],
      ];
      for (const [scope, code, message] of refused) {
        await assert.rejects(deps.create({ name: "refused", scope }), { code, message });
      }
      assert.equal((await listAllowances(deps.db, null)).length, 1);
    });

    test("each change raises the control version and is written into the row; one that is refused changes nothing", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const { id } = await deps.create();
      const reference = { tenantId: null, allowance: id };
      const seen = [await generations(deps.db)];
      await setAllowance(deps, reference, { limit: 5n });
      seen.push(await generations(deps.db));
      await setAllowanceDisabled(deps, reference, true);
      seen.push(await generations(deps.db));
      const first = seen[0]?.control ?? 0;
      assert.deepEqual(
        seen,
        [0, 1, 2].map((step) => ({ control: first + step, row: first + step })),
      );
      await assert.rejects(setAllowance(deps, reference, { limit: -1n }), { code: "invalid_argument" });
      assert.deepEqual(await generations(deps.db), seen[2]);
    });

    test("what is not given stays, and what is given is checked together with it", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const before = await deps.create({ meter: "requests", window: "minute", burst: 10n, models: ["a"] });
      const reference = { tenantId: null, allowance: before.id };
      const after = await setAllowance(deps, reference, { limit: 7n, mode: "shadow", burst: null, name: "rpm" });
      assert.deepEqual(after, { ...before, limit: 7n, mode: "shadow", burst: null, name: "rpm" });
      assert.deepEqual(await findAllowance(deps.db, reference), after);
      await assert.rejects(setAllowance(deps, reference, { policy: "strict" }), { param: "policy" });
      await assert.rejects(setAllowance(deps, reference, { alertPercents: [80] }), { param: "alerts" });
      await deps.create({ name: "taken" });
      await assert.rejects(setAllowance(deps, reference, { name: "taken" }), { code: "already_exists" });
      await assert.rejects(setAllowance(deps, { tenantId: null, allowance: "none" }, {}), { code: "not_found" });
    });

    test("a changed limit reaches the open account at once, also below what is spent, and recalls what is granted", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const allowance = await deps.create();
      const ownerId = await deps.use(allowance, 600n, 500n);
      await setAllowance(deps, { tenantId: null, allowance: "monthly" }, { limit: 300n });
      assert.deepEqual(await numbersOf(deps.db, deps.account(allowance)), [300n, 500n, 100n, 0n]);
      assert.deepEqual((await deps.bank.renew(ownerId, 30_000)).recalled, [deps.account(allowance).accountId]);
      await deps.bank.register("own_new", "ins_2", 30_000);
      const request = { account: deps.account(allowance), sequence: 1, need: 1n, want: 1n, refusals: 0 };
      assert.equal((await deps.bank.draw("own_new", [request]))[0]?.granted, 0n, "nothing new is admitted");
      await setAllowance(deps, { tenantId: null, allowance: "monthly" }, { limit: 601n });
      const again = { ...request, sequence: 2 };
      assert.equal((await deps.bank.draw("own_new", [again]))[0]?.granted, 1n, "a raised limit admits again");
    });

    test("a limit of zero admits nothing, whatever the regime", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const drafts: readonly Partial<AllowanceDraft>[] = [
        { meter: "money", window: "month" },
        { meter: "requests", window: "minute", burst: 10n },
        { meter: "slots" },
      ];
      await deps.bank.register("own_1", "ins_1", 30_000);
      for (const [index, draft] of drafts.entries()) {
        const allowance = await deps.create({ name: `none-${index}`, limit: 0n, ...draft });
        const request = { account: deps.account(allowance), sequence: 1, need: 1n, want: 1n, refusals: 0 };
        assert.equal((await deps.bank.draw("own_1", [request]))[0]?.granted, 0n, allowance.name);
      }
    });

    test("a disabled allowance limits nothing, and keeps its books for when it is enabled again", async () => {
      await using place = await engine.createPlace();
      await using deps = await openAllowances(place);
      const allowance = await deps.create();
      await deps.use(allowance, 900n, 900n);
      const reference = { tenantId: null, allowance: allowance.id };
      const disabled = await setAllowanceDisabled(deps, reference, true);
      assert.equal(disabled.disabledAtMs, deps.clock.wallMs());
      deps.clock.advance(1000);
      assert.deepEqual(await setAllowanceDisabled(deps, reference, true), disabled, "once is enough");
      await deps.bank.register("own_new", "ins_2", 30_000);
      const request = { account: deps.account(allowance), sequence: 1, need: 500n, want: 500n, refusals: 0 };
      assert.equal((await deps.bank.draw("own_new", [request]))[0]?.standing, null);
      assert.equal((await setAllowanceDisabled(deps, reference, false)).disabledAtMs, null);
      const drawn = await deps.bank.draw("own_new", [{ ...request, sequence: 2 }]);
      assert.deepEqual([drawn[0]?.granted, drawn[0]?.standing?.spent], [0n, 900n]);
    });
  });
}

async function generations(db: Kysely<Database>): Promise<{ control: number; row: number }> {
  const control = await db.selectFrom("control_version").select("generation").executeTakeFirstOrThrow();
  const row = await db.selectFrom("allowances").select("generation").executeTakeFirstOrThrow();
  return { control: control.generation, row: row.generation };
}
