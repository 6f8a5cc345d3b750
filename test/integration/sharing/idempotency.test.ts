import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import type { Reply } from "../../support/simulator-client.ts";
import { COST, openSharingPlace, said, streamEnd } from "./place.ts";

function codeOf({ status, headers }: Reply): unknown[] {
  return [status, headers["x-headgate-error-code"]];
}

describe("a request with an Idempotency-Key that is over", () => {
  test("is answered again to the byte, at no cost, and the record says what that saved", async () => {
    await using place = await openSharingPlace();
    const asked = place.askOnce("k1");
    await place.answer(1, "Once");
    const first = await asked;
    const again = await place.askOnce("k1");
    assert.deepEqual([again.status, again.text], [200, first.text]);
    assert.equal(first.headers["idempotent-replayed"], undefined);
    const { headers } = again;
    assert.deepEqual(
      [headers["idempotent-replayed"], headers["x-headgate-answer-of"], headers["x-headgate-model"], headers["age"]],
      ["true", first.headers["x-request-id"], "own/m", "0"],
    );
    assert.equal(headers["x-headgate-cost-nano-usd"], "0");
    const row = await place.rowOf(again);
    assert.deepEqual(
      [row.reuse, row.saved_nano_usd, row.cost_nano_usd, row.attempts, row.model_served, row.ending],
      ["replayed", COST, 0n, 0, "own/m", "complete"],
    );
    assert.deepEqual([place.calls.length, await place.charged()], [1, COST]);
  });

  test("is answered with the same stream where it was one", async () => {
    await using place = await openSharingPlace();
    const asked = place.askOnce("k1", { stream: true });
    const response = await place.begin(1);
    response.end(said(" wörld") + streamEnd());
    const first = await asked;
    const again = await place.askOnce("k1", { stream: true });
    assert.equal(again.text, first.text);
    assert.ok(first.text.endsWith("data: [DONE]\n\n"));
    assert.equal(again.headers["content-type"], first.headers["content-type"]);
    assert.equal((await place.rowOf(again)).saved_nano_usd, COST);
    assert.equal(place.calls.length, 1);
  });

  test("does not depend on the order of names or on white space", async () => {
    await using place = await openSharingPlace();
    const asked = place.askOnce("k1", { seed: 1, metadata: { a: "1", b: "2" } });
    await place.answer(1);
    await asked;
    const again = await place.askOnce("k1", { metadata: { b: "2", a: "1" }, seed: 1.0 });
    assert.deepEqual([again.status, again.headers["idempotent-replayed"]], [200, "true"]);
  });

  test("is refused with another body, while it runs and afterwards", async () => {
    await using place = await openSharingPlace();
    const asked = place.askOnce("k1");
    await place.call(1);
    assert.deepEqual(codeOf(await place.askOnce("k1", { seed: 2 })), [422, "idempotency_mismatch"]);
    await place.answer(1);
    await asked;
    const refused = await place.askOnce("k1", { seed: 2 });
    assert.deepEqual([...codeOf(refused), refused.headers["x-should-retry"]], [422, "idempotency_mismatch", "false"]);
    assert.equal(place.calls.length, 1);
  });

  test("is another one for another tenant, and the same for all keys of its own", async () => {
    await using place = await openSharingPlace();
    const [stranger, colleague] = [await place.createOtherKey("tenant"), await place.createOtherKey("project")];
    const asked = place.askOnce("k1");
    await place.answer(1, "Mine");
    await asked;
    const others = place.askOnce("k1", {}, { key: stranger });
    await place.answer(2, "Theirs");
    assert.match((await others).text, /Theirs/);
    assert.match((await place.askOnce("k1", {}, { key: colleague })).text, /Mine/);
  });

  test("is not answered to a key that may not use the model", async () => {
    await using place = await openSharingPlace();
    const narrow = await place.createOtherKey("project", ["fast"]);
    const asked = place.askOnce("k1");
    await place.answer(1);
    await asked;
    assert.deepEqual(codeOf(await place.askOnce("k1", {}, { key: narrow })), [403, "model_not_allowed"]);
  });

  test("keeps what the provider refused for good", async () => {
    await using place = await openSharingPlace();
    const asked = place.askOnce("k1");
    await place.fail(1, 400);
    const first = await asked;
    const again = await place.askOnce("k1");
    assert.deepEqual(codeOf(again), codeOf(first));
    assert.deepEqual([again.status, again.headers["idempotent-replayed"]], [400, "true"]);
    assert.equal(place.calls.length, 1);
    assert.equal((await place.rowOf(again)).error_code, "upstream_rejected");
  });

  test("whose answer was too large to keep is not made again", async () => {
    await using place = await openSharingPlace({ idempotency: { answerBytes: 100 }, cache: { answerBytes: 100 } });
    const asked = place.askOnce("k1");
    await place.answer(1, "x".repeat(200));
    assert.equal((await asked).status, 200);
    const again = await place.askOnce("k1");
    assert.deepEqual([...codeOf(again), again.headers["x-should-retry"]], [409, "idempotency_answer_lost", "false"]);
    assert.equal(place.calls.length, 1);
  });

  for (const status of [429, 500]) {
    test(`is made again after a ${status} of the provider`, async () => {
      await using place = await openSharingPlace();
      const asked = place.askOnce("k1");
      await place.fail(1, status);
      assert.ok((await asked).status >= 429);
      const again = place.askOnce("k1");
      await place.answer(2, "Then");
      assert.match((await again).text, /Then/);
    });
  }

  test("is made again, once, after its caller left before the answer", async () => {
    await using place = await openSharingPlace();
    let leave = (): void => undefined;
    const left = place.askOnce("k1", {}, { onStart: (hangUp) => void (leave = hangUp) });
    const response = await place.call(1);
    leave();
    await left;
    await eventually("the call to be cancelled", () => response.destroyed);
    const again = place.askOnce("k1");
    await place.answer(2);
    assert.equal((await again).headers["idempotent-replayed"], undefined);
    assert.equal((await place.askOnce("k1")).headers["idempotent-replayed"], "true");
  });
});

describe("a request with an Idempotency-Key while it runs", () => {
  test("is made once, however often it comes at once", async () => {
    await using place = await openSharingPlace();
    const asked = Array.from({ length: 20 }, () => place.askOnce("k1"));
    await place.answer(1);
    const replies = await Promise.all(asked);
    assert.equal(new Set(replies.map(({ text }) => text)).size, 1);
    assert.deepEqual(new Set(replies.map(({ status }) => status)), new Set([200]));
    assert.equal(replies.filter(({ headers }) => headers["idempotent-replayed"] === undefined).length, 1);
    assert.deepEqual([place.calls.length, await place.charged()], [1, COST]);
  });

  test("is joined: what was said already comes first, then the rest as it is said", async () => {
    await using place = await openSharingPlace();
    const first = place.askOnce("k1", { stream: true });
    const response = await place.begin(1, "Hello");
    const begun = Promise.withResolvers<void>();
    const onChunk = (received: Buffer): void => {
      if (received.includes("Hello")) begun.resolve();
    };
    const joined = place.askOnce("k1", { stream: true }, { onChunk });
    await begun.promise;
    response.end(said(" there") + streamEnd());
    const [own, shared] = await Promise.all([first, joined]);
    assert.equal(shared.text, own.text);
    assert.ok(shared.complete);
    const row = await place.rowOf(shared);
    assert.deepEqual([row.reuse, row.saved_nano_usd, row.attempts, row.ending], ["joined", COST, 0, "complete"]);
    assert.equal((await place.rowOf(own)).cost_nano_usd, COST);
    assert.equal(shared.headers["x-headgate-answer-of"], own.headers["x-request-id"]);
  });

  test("goes on for who joined after its caller has left, and is kept", async () => {
    await using place = await openSharingPlace();
    let leave = (): void => undefined;
    const first = place.askOnce("k1", { stream: true }, { onStart: (hangUp) => void (leave = hangUp) });
    const response = await place.begin(1);
    const begun = Promise.withResolvers<void>();
    const joined = place.askOnce("k1", { stream: true }, { onChunk: () => begun.resolve() });
    await begun.promise;
    leave();
    await first;
    await place.served();
    response.end(said(" there") + streamEnd());
    const shared = await joined;
    assert.ok(shared.text.endsWith("data: [DONE]\n\n"));
    assert.equal((await place.askOnce("k1", { stream: true })).text, shared.text);
    assert.equal(await place.charged(), COST);
  });

  test("is cancelled at the provider when everybody has left", async () => {
    await using place = await openSharingPlace();
    const leaving: (() => void)[] = [];
    const onStart = (leave: () => void): void => void leaving.push(leave);
    const first = place.askOnce("k1", { stream: true }, { onStart });
    const response = await place.begin(1);
    const begun = Promise.withResolvers<void>();
    const joined = place.askOnce("k1", { stream: true }, { onStart, onChunk: () => begun.resolve() });
    await begun.promise;
    for (const leave of leaving) leave();
    await Promise.all([first, joined]);
    await eventually("the call to be cancelled", () => response.destroyed);
  });

  test("who joined leaves alone", async () => {
    await using place = await openSharingPlace();
    const first = place.askOnce("k1", { stream: true });
    const response = await place.begin(1);
    const joined = await place.askOnce("k1", { stream: true }, { onChunk: (_, leave) => leave() });
    assert.ok(!joined.complete);
    assert.equal((await place.rowOf(joined)).ending, "caller-gone");
    response.end(streamEnd());
    assert.ok((await first).text.endsWith("data: [DONE]\n\n"));
  });

  test("who joined meets the same failure, in words of their own", async () => {
    await using place = await openSharingPlace();
    const first = place.askOnce("k1", { stream: true });
    const response = await place.begin(1);
    const begun = Promise.withResolvers<void>();
    const joined = place.askOnce("k1", { stream: true }, { onChunk: () => begun.resolve() });
    await begun.promise;
    response.destroy();
    const [own, shared] = await Promise.all([first, joined]);
    for (const reply of [own, shared]) {
      assert.match(reply.text, /stream_truncated/);
      assert.ok(!reply.text.includes("[DONE]"));
      assert.equal((await place.rowOf(reply)).ending, "truncated");
    }
    assert.equal(await place.charged(), (await place.rowOf(own)).cost_nano_usd);
  });

  test("who joined is served by a call of their own if the first was refused for reasons of its own", async () => {
    await using place = await openSharingPlace();
    const first = place.askOnce("k1", {}, { headers: { "x-headgate-deadline-ms": "300" } });
    await place.call(1);
    const joined = place.askOnce("k1");
    await place.served();
    assert.equal((await first).status, 504);
    await place.answer(2, "After all");
    assert.match((await joined).text, /After all/);
    assert.equal((await place.rowOf(await joined)).reuse, null);
  });

  test("who joined has a deadline of their own", async () => {
    await using place = await openSharingPlace();
    const first = place.askOnce("k1");
    await place.call(1);
    const joined = await place.askOnce("k1", {}, { headers: { "x-headgate-deadline-ms": "100" } });
    assert.deepEqual(codeOf(joined), [504, "deadline_exceeded"]);
    assert.equal(joined.headers["idempotent-replayed"], undefined);
    assert.equal((await place.rowOf(joined)).reuse, "joined");
    await place.answer(1);
    assert.equal((await first).status, 200);
  });

  test("a stream that has grown too large to remember takes nobody more, and goes on", async () => {
    await using place = await openSharingPlace({ idempotency: { answerBytes: 500 }, cache: { answerBytes: 0 } });
    const grown = Promise.withResolvers<void>();
    const onChunk = (received: Buffer): void => {
      if (received.length > 1_000) grown.resolve();
    };
    const first = place.askOnce("k1", { stream: true }, { onChunk });
    const response = await place.begin(1);
    response.write(said("x".repeat(1_000)));
    await grown.promise;
    const late = await place.askOnce("k1", { stream: true });
    assert.deepEqual([...codeOf(late), late.headers["retry-after"]], [409, "idempotency_running", "1"]);
    response.end(streamEnd());
    assert.ok((await first).text.endsWith("data: [DONE]\n\n"));
    assert.deepEqual(codeOf(await place.askOnce("k1", { stream: true })), [409, "idempotency_answer_lost"]);
  });
});

test("who joined and does not read is cut off once it is too far behind, and nobody waits for it", async () => {
  await using place = await openSharingPlace({ idempotency: { answerBytes: 1_000_000 }, cache: { answerBytes: 0 } });
  const first = place.askOnce("k1", { stream: true });
  const response = await place.begin(1);
  let leave = (): void => undefined;
  const joining = { readNothing: true, onStart: (hangUp: () => void): void => void (leave = hangUp) };
  const joined = place.askOnce("k1", { stream: true }, joining);
  await place.served();
  const piece = said("x".repeat(100_000));
  for (let count = 0; count < 200; count++) {
    if (!response.write(piece)) await once(response, "drain");
  }
  response.end(streamEnd());
  const whole = await first;
  assert.ok(whole.text.endsWith("data: [DONE]\n\n"));
  const rows = await eventually("the records of both", async () => {
    const found = await place.test.gateway.store.db.selectFrom("requests").selectAll().orderBy("request_id").execute();
    return found.length === 3 ? found : null;
  });
  const told = rows.filter(({ reuse }) => reuse === "joined").map(({ ending }) => ending);
  assert.deepEqual(told, ["caller-gone"]);
  leave();
  await joined;
});

describe("an Idempotency-Key", () => {
  test("has from 1 to 255 characters", async () => {
    await using place = await openSharingPlace();
    for (const key of ["", "x".repeat(256)])
      assert.deepEqual(codeOf(await place.askOnce(key)), [400, "invalid_header"]);
    const asked = place.askOnce("x".repeat(255));
    await place.answer(1);
    assert.equal((await asked).status, 200);
  });

  test("is not heeded where the operator says so", async () => {
    await using place = await openSharingPlace({ idempotency: { retentionMs: 0 } });
    const asked = [place.askOnce("k1"), place.askOnce("k1")];
    await place.answer(1, "One");
    await place.answer(2, "Two");
    assert.equal(new Set((await Promise.all(asked)).map(({ text }) => text)).size, 2);
  });

  test("is not stored as it is, nor is what was asked", async () => {
    await using place = await openSharingPlace();
    const asked = place.askOnce("recognisable-key", { messages: [{ role: "user", content: "recognisable-question" }] });
    await place.answer(1, "recognisable-answer");
    await asked;
    const files = readdirSync(place.test.dataDir).filter((name) => name.startsWith("answers.db"));
    const stored = files.map((name) => readFileSync(join(place.test.dataDir, name), "latin1")).join("");
    assert.ok(stored.includes("recognisable-answer"));
    for (const text of ["recognisable-key", "recognisable-question"]) assert.ok(!stored.includes(text), text);
  });
});
