import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { listRequests } from "../../src/storage/reports/request-list.ts";
import { toLedgerEntry } from "../../src/storage/rows.ts";
import type { LedgerEntry } from "../../src/storage/records.ts";
import type { Store } from "../../src/storage/storage.ts";
import { engines } from "./engines.ts";
import type { Place } from "./engines.ts";
import { sampleHold } from "./samples.ts";

const loadScript = fileURLToPath(new URL("./children/load.ts", import.meta.url));

for (const engine of engines) {
  describe(`recovery on ${engine.name}`, () => {
    test("a gateway killed in mid-load loses no attempt and doubles none, even when two recover at once", async () => {
      await using place = await engine.createPlace();
      await killUnderLoad(place);
      const acknowledged = await killUnderLoad(place);

      const stores = await Promise.all([place.openStore(), place.openStore()]);
      await using first = stores[0];
      await using second = stores[1];
      await Promise.all([first.recoverHolds(), second.recoverHolds(), first.recoverHolds()]);
      await second.delivered();

      const entries = await ledger(first);
      const charged = new Set(entries.map((entry) => entry.attemptId));
      assert.equal(charged.size, entries.length, "an attempt is charged once");
      assert.deepEqual(
        acknowledged.opened.filter((attempt) => !charged.has(attempt)),
        [],
        "each opened attempt is charged",
      );
      const reported = new Set(entries.filter((entry) => entry.basis === "reported").map((entry) => entry.attemptId));
      assert.deepEqual(
        acknowledged.closed.filter((attempt) => !reported.has(attempt)),
        [],
        "each closed attempt is charged as reported",
      );
      const recovered = entries.filter((entry) => entry.flags.includes("recovered"));
      assert.ok(recovered.length >= 2, "each kill left something to recover");

      const requests = await first.db.selectFrom("requests").select(["request_id", "ending"]).execute();
      assert.equal(requests.length, entries.length, "each request has its wide row");
      assert.equal(requests.filter((row) => row.ending === "killed").length, recovered.length);
      assert.equal((await first.journalDb.selectFrom("holds").selectAll().execute()).length, 0);
      const instances = await first.journalDb.selectFrom("instances").select("id").execute();
      assert.deepEqual(instances.map((row) => row.id).toSorted(), [first.instanceId, second.instanceId].toSorted());
    });

    test("what a dead gateway held is charged at its worst case, flagged, and its request recorded as killed", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore({ recoveryIntervalMs: 3_600_000 });
      await store.journalDb.insertInto("instances").values({ id: "ins_dead", started_at_ms: 1 }).execute();
      const [first, second] = [
        sampleHold("req_1", "att_1"),
        sampleHold("req_1", "att_2", { provider: "azure", priceVersion: null }),
      ];
      await store.journal.open(first);
      await store.journal.open(second);
      await store.journalDb.updateTable("holds").set({ instance_id: "ins_dead" }).execute();

      assert.deepEqual(await store.recoverHolds(), { instances: 1, attempts: 2 });
      assert.deepEqual(await store.recoverHolds(), { instances: 0, attempts: 0 });

      const entries = await ledger(store);
      assert.deepEqual(
        entries.map((entry) => [entry.attemptId, entry.provider, entry.modelServed, entry.basis, entry.flags]),
        [
          ["att_1", "openai", "gpt-5-mini", "worst-case", ["estimated", "recovered"]],
          ["att_2", "azure", "gpt-5-mini", "worst-case", ["unpriced", "estimated", "recovered"]],
        ],
      );
      assert.deepEqual(entries[0]?.usage, first.heldUsage);
      assert.equal(entries[0]?.costNanoUsd, first.heldCostNanoUsd);
      const [record] = (await listRequests(store.db, { limit: 10 })).records;
      assert.equal(record?.ending, "killed");
      assert.equal(record?.attempts, 2);
      assert.equal(record?.costNanoUsd, first.heldCostNanoUsd * 2n);
      assert.deepEqual(record?.payer, first.payer);
    });

    test("the holds of a living gateway are left alone, in this process and from another store", async () => {
      await using place = await engine.createPlace();
      await using living = await place.openStore();
      await living.journal.open(sampleHold("req_1", "att_1"));
      await using other = await place.openStore();
      assert.deepEqual(await other.recoverHolds(), { instances: 0, attempts: 0 });
      assert.deepEqual(await living.recoverHolds(), { instances: 0, attempts: 0 });
      assert.equal((await other.journalDb.selectFrom("holds").selectAll().execute()).length, 1);
    });

    test("a gateway that ends in order but leaves a hold is recovered by the next to open the store", async () => {
      await using place = await engine.createPlace();
      {
        await using store = await place.openStore();
        await store.journal.open(sampleHold("req_1", "att_1"));
      }
      const reports: number[] = [];
      await using next = await place.openStore({ events: { recovered: (report) => reports.push(report.attempts) } });
      assert.deepEqual(reports, [1]);
      assert.equal((await ledger(next)).length, 1);
    });

    test("a gateway that ends in order leaves no trace of itself", async () => {
      await using place = await engine.createPlace();
      {
        await using store = await place.openStore();
        assert.match(store.instanceId, /^ins_/);
      }
      await using next = await place.openStore();
      const instances = await next.journalDb.selectFrom("instances").select("id").execute();
      assert.deepEqual(
        instances.map(({ id }) => id),
        [next.instanceId],
      );
    });
  });
}

async function ledger(store: Store): Promise<LedgerEntry[]> {
  await store.delivered();
  const rows = await store.db.selectFrom("ledger_entries").selectAll().orderBy("entry_id").execute();
  return rows.map(toLedgerEntry);
}

/** Kills a gateway under load without warning; returns the attempts whose opening and closing it had acknowledged. */
async function killUnderLoad(place: Place): Promise<Acknowledged> {
  const file = join(place.dataDir, "acknowledged.txt");
  const child = spawn(process.execPath, [loadScript, JSON.stringify(place.options), file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const loaded = await Promise.race([once(child.stdout, "data"), exited.then(() => null)]);
  assert.ok(loaded !== null, "the gateway ended before it was under load");
  child.kill("SIGKILL");
  const [, signal] = await exited;
  assert.equal(signal, "SIGKILL");
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const attempts = (what: string): string[] =>
    lines.filter((line) => line.startsWith(what)).map((line) => line.slice(what.length + 1));
  return { opened: attempts("opened"), closed: attempts("closed") };
}

interface Acknowledged {
  readonly opened: readonly string[];
  readonly closed: readonly string[];
}
