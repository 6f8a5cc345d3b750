import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Kysely } from "kysely";
import { releaseLease, takeLease } from "../../src/storage/leases.ts";
import type { Database } from "../../src/storage/schema.ts";
import { engines } from "./engines.ts";

const nowMs = 1_800_000_000_000;
const ttlMs = 5000;

for (const engine of engines) {
  const onStore = (name: string, act: (db: Kysely<Database>, another: Kysely<Database>) => Promise<void>): void => {
    test(name, async () => {
      await using place = await engine.createPlace();
      const [db, another] = [place.openDatabase(), place.openDatabase()];
      try {
        await act(db, another);
      } finally {
        await Promise.all([db.destroy(), another.destroy()]);
      }
    });
  };

  describe(`leases on ${engine.name}`, () => {
    onStore("one of many holds a lease, and keeps it by taking it again", async (db, another) => {
      const holders = ["a", "b", "c", "d", "e", "f"];
      const taken = await Promise.all(
        holders.map((holder, index) => takeLease(index % 2 === 0 ? db : another, "alerts", holder, ttlMs, nowMs)),
      );
      assert.equal(taken.filter(Boolean).length, 1);
      const winner = holders[taken.indexOf(true)] ?? "";
      assert.ok(await takeLease(another, "alerts", winner, ttlMs, nowMs + 4000));
      assert.ok(!(await takeLease(db, "alerts", "z", ttlMs, nowMs + 8999)));
      assert.ok(await takeLease(db, "alerts", "z", ttlMs, nowMs + 9000));
      assert.ok(!(await takeLease(db, "alerts", winner, ttlMs, nowMs + 9000)));
    });

    onStore("leases of other names are apart", async (db) => {
      assert.ok(await takeLease(db, "alerts", "a", ttlMs, nowMs));
      assert.ok(await takeLease(db, "rollups", "b", ttlMs, nowMs));
    });

    onStore("a lease that is released is free at once, but only its holder can release it", async (db) => {
      await takeLease(db, "alerts", "a", ttlMs, nowMs);
      await releaseLease(db, "alerts", "b");
      assert.ok(!(await takeLease(db, "alerts", "b", ttlMs, nowMs)));
      await releaseLease(db, "alerts", "a");
      assert.ok(await takeLease(db, "alerts", "b", ttlMs, nowMs));
    });

    onStore("a lease from before the clock was set back is nobody's", async (db) => {
      await takeLease(db, "alerts", "a", ttlMs, nowMs + 86_400_000);
      assert.ok(await takeLease(db, "alerts", "b", ttlMs, nowMs));
      assert.ok(!(await takeLease(db, "alerts", "a", ttlMs, nowMs - ttlMs)));
    });
  });
}
