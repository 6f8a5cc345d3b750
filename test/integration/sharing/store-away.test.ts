/** Answers under a key that are complete while what is kept of answers cannot be written. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import type { Reply } from "../../support/simulator-client.ts";
import { COST, openSharingPlace, said, type SharingPlace, streamEnd } from "./place.ts";

/** Beside the gateway, as another process would have it. */
function openAnswersFile({ test: { dataDir } }: SharingPlace): DatabaseSync {
  return new DatabaseSync(join(dataDir, "answers.db"), { timeout: 10_000 });
}

async function isWritten(file: DatabaseSync): Promise<void> {
  await eventually("the answer is written", () => {
    const states = file.prepare("SELECT state FROM idempotency_keys").all();
    return states.length === 1 && states[0]?.["state"] === "answered";
  });
}

async function assertGivenAgain(place: SharingPlace, first: Reply, fields: object = {}): Promise<void> {
  const again = await place.askOnce("k1", fields);
  assert.deepEqual([again.status, again.text, again.headers["idempotent-replayed"]], [200, first.text, "true"]);
  assert.deepEqual([(await place.rowOf(again)).reuse, place.calls.length], ["replayed", 1]);
}

describe("an answer under a key, complete while another process has the file of kept answers for itself", () => {
  test("is given, given again meanwhile, and written afterwards", async () => {
    await using place = await openSharingPlace();
    const asked = place.askOnce("k1");
    await place.call(1);
    using file = openAnswersFile(place);
    file.exec("BEGIN IMMEDIATE");
    await place.answer(1);
    const first = await asked;
    assert.equal(first.status, 200);
    await assertGivenAgain(place, first);
    const other = await place.askOnce("k1", { seed: 2 });
    assert.deepEqual([other.status, other.headers["x-headgate-error-code"]], [422, "idempotency_mismatch"]);
    file.exec("ROLLBACK");
    await isWritten(file);
    await assertGivenAgain(place, first);
    assert.deepEqual([await place.charged(), place.test.gateway.standing().heldBytes], [COST, 0]);
  });
});

describe("an answer under a key that cannot be written", () => {
  test("is given, given again meanwhile, and written when it can be", async () => {
    await using place = await openSharingPlace();
    const asked = place.askOnce("k1", { stream: true });
    const response = await place.begin(1);
    using file = openAnswersFile(place);
    file.exec("ALTER TABLE idempotency_keys RENAME TO away");
    response.end(said(" wörld") + streamEnd());
    const first = await asked;
    assert.ok(first.text.endsWith("data: [DONE]\n\n"));
    await assertGivenAgain(place, first, { stream: true });
    file.exec("ALTER TABLE away RENAME TO idempotency_keys");
    await isWritten(file);
    await assertGivenAgain(place, first, { stream: true });
    assert.deepEqual([await place.charged(), place.test.gateway.standing().heldBytes], [COST, 0]);
  });

  test("is written at the latest when the gateway stops", async () => {
    await using place = await openSharingPlace();
    const asked = place.askOnce("k1");
    await place.call(1);
    using file = openAnswersFile(place);
    file.exec("ALTER TABLE idempotency_keys RENAME TO away");
    await place.answer(1);
    assert.equal((await asked).status, 200);
    file.exec("ALTER TABLE away RENAME TO idempotency_keys");
    await place.test.gateway.stop();
    await isWritten(file);
  });
});
