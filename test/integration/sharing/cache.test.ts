import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSystemClock } from "../../../src/kernel/clock.ts";
import { createIdSource, systemRandomFill } from "../../../src/kernel/ids.ts";
import { purgeCache } from "../../../src/storage/answers/cache-purges.ts";
import { allow } from "../../support/allowances.ts";
import { eventually } from "../../support/eventually.ts";
import type { Reply } from "../../support/simulator-client.ts";
import { COST, openSharingPlace, said, type SharingPlace, streamEnd } from "./place.ts";

const fast = { model: "fast" };

function cacheOf({ headers }: Reply): unknown {
  return headers["x-headgate-cache"];
}

/** Asks, answers the call of that number, and returns the reply. */
async function made(place: SharingPlace, call: number, fields: object = fast, headers = {}): Promise<Reply> {
  const asked = place.ask(fields, { headers });
  await place.answer(call, `Answer ${call}`);
  return asked;
}

/** Whether the answer is given again; a call that is made instead is answered. */
async function isHit(place: SharingPlace, fields: object, headers = {}): Promise<boolean> {
  const next = place.calls.length + 1;
  let reply: Reply | null = null;
  const asked = place.ask(fields, { headers }).then((given) => (reply = given));
  await eventually("an answer or a call", () => reply !== null || place.calls.length >= next);
  if (place.calls.length >= next) await place.answer(next);
  return cacheOf(await asked) === "hit";
}

describe("a route that caches", () => {
  test("answers an equal request again to the byte, at no cost, and the record says what that saved", async () => {
    await using place = await openSharingPlace();
    const first = await made(place, 1);
    const again = await place.ask(fast);
    assert.deepEqual([again.status, again.text], [200, first.text]);
    assert.deepEqual([cacheOf(first), cacheOf(again)], ["miss", "hit"]);
    assert.equal(again.headers["idempotent-replayed"], undefined);
    assert.equal(again.headers["age"], "0");
    const row = await place.rowOf(again);
    assert.deepEqual(
      [row.reuse, row.saved_nano_usd, row.cost_nano_usd, row.attempts, row.model_served],
      ["hit", COST, 0n, 0, "own/m"],
    );
    assert.equal((await place.rowOf(first)).reuse, "miss");
    assert.equal(await place.charged(), COST);
  });

  test("answers a stream with the same stream, and with the same answer who asks for another form", async () => {
    await using place = await openSharingPlace();
    const asked = place.ask({ ...fast, stream: true });
    (await place.begin(1)).end(said(" again") + streamEnd());
    const first = await asked;
    const again = await place.ask({ ...fast, stream: true });
    assert.deepEqual([again.text, cacheOf(again)], [first.text, "hit"]);
    assert.match(String(again.headers["content-type"]), /^text\/event-stream/);
    const whole = await place.ask(fast);
    assert.match(String(whole.headers["content-type"]), /^application\/json/);
    const { choices, usage } = JSON.parse(whole.text) as {
      choices: { message: object }[];
      usage: { total_tokens: number };
    };
    assert.deepEqual(choices[0]?.message, { role: "assistant", content: "Hello again", refusal: null });
    assert.deepEqual([cacheOf(whole), usage.total_tokens, place.calls.length], ["hit", 7, 1]);
    const metered = await place.ask({ ...fast, stream: true, stream_options: { include_usage: true } });
    assert.match(metered.text, /"choices":\[\],"usage":\{.*"total_tokens":7.*\[DONE\]\n\n$/s);
    assert.equal(await place.charged(), COST);
  });

  test("answers with a stream who asks for one where a whole answer is kept", async () => {
    await using place = await openSharingPlace();
    await made(place, 1);
    const stream = await place.ask({ ...fast, stream: true });
    assert.match(String(stream.headers["content-type"]), /^text\/event-stream/);
    assert.match(stream.text, /"content":"Answer 1".*"finish_reason":"stop".*data: \[DONE\]\n\n$/s);
    assert.doesNotMatch(stream.text, /usage/);
    const row = await place.rowOf(stream);
    assert.deepEqual([row.reuse, row.saved_nano_usd, row.cost_nano_usd], ["hit", COST, 0n]);
  });

  test("makes an answer anew where its other form would lose something, and then keeps that", async () => {
    await using place = await openSharingPlace();
    const asked = place.ask({ ...fast, stream: true });
    const citing = said("Hello").replace('"content"', '"annotations":[{"type":"url_citation"}],"content"');
    const response = await place.call(1);
    response.setHeader("content-type", "text/event-stream");
    response.end(citing + streamEnd());
    await asked;
    assert.equal(cacheOf(await made(place, 2)), "miss");
    assert.equal(cacheOf(await place.ask(fast)), "hit");
  });

  test("lets only those follow an answer under way who ask for its form", async () => {
    await using place = await openSharingPlace();
    const streams = [place.ask({ ...fast, stream: true }), place.ask({ ...fast, stream: true })];
    const response = await place.begin(1);
    const whole = place.ask(fast);
    await place.answer(2, "Hello");
    assert.equal(cacheOf(await whole), "miss");
    response.end(streamEnd());
    const replies = await Promise.all(streams);
    assert.deepEqual(new Set(replies.map(cacheOf)), new Set(["joined", "miss"]));
    assert.equal(place.calls.length, 2);
  });

  test("takes nothing from budgets for what it gives again", async () => {
    await using place = await openSharingPlace();
    await allow(place.test.gateway, {
      name: "money",
      meter: "money",
      limit: COST,
      window: "lifetime",
      policy: "strict",
    });
    await made(place, 1);
    assert.equal((await place.ask({ model: "plain" })).status, 402);
    assert.equal((await place.ask(fast)).status, 200);
  });

  test("does not tell apart what a model's answer does not depend on, and tells apart everything else", async () => {
    await using place = await openSharingPlace();
    await made(place, 1, { ...fast, user: "ann", seed: 1 });
    assert.ok(await isHit(place, { seed: 1, safety_identifier: "x", ...fast }));
    for (const fields of [{ seed: 2 }, { seed: 1, temperature: 0 }, { seed: 1, metadata: {} }])
      assert.ok(!(await isHit(place, { ...fast, ...fields })), JSON.stringify(fields));
  });

  test("shares nothing between tenants or projects", async () => {
    await using place = await openSharingPlace();
    await made(place, 1);
    for (const kin of ["tenant", "project"] as const) {
      const key = await place.createOtherKey(kin);
      const asked = place.ask(fast, { key });
      await place.answer(kin === "tenant" ? 2 : 3, kin);
      assert.match((await asked).text, new RegExp(kin));
    }
  });

  test("gives nothing to a key that may not use the model", async () => {
    await using place = await openSharingPlace();
    await made(place, 1);
    const key = await place.createOtherKey("project", ["plain"]);
    assert.equal((await place.ask(fast, { key })).status, 403);
    assert.equal(cacheOf(await place.ask(fast)), "hit");
  });

  for (const [what, finish] of [
    ["cut short", "length"],
    ["filtered", "content_filter"],
  ] as const) {
    test(`keeps no answer that was ${what}`, async () => {
      await using place = await openSharingPlace();
      const asked = place.ask(fast);
      await place.answer(1, "Half", finish);
      await asked;
      assert.ok(!(await isHit(place, fast)));
    });
  }

  test("keeps no errors and no broken streams", async () => {
    await using place = await openSharingPlace();
    const refused = place.ask(fast);
    await place.fail(1, 400);
    assert.equal((await refused).status, 400);
    const begun = Promise.withResolvers<void>();
    const broken = place.ask({ ...fast, stream: true }, { onChunk: () => begun.resolve() });
    const response = await place.begin(2);
    await begun.promise;
    response.destroy();
    assert.match((await broken).text, /stream_truncated/);
    assert.ok(!(await isHit(place, fast)));
    assert.equal(place.calls.length, 3);
  });

  test("keeps no answer that the provider stores, and none larger than allowed", async () => {
    await using place = await openSharingPlace({ cache: { answerBytes: 600 } });
    assert.equal(cacheOf(await made(place, 1, { ...fast, store: true })), "bypass");
    const asked = place.ask(fast);
    await place.answer(2, "x".repeat(600));
    await asked;
    assert.ok(!(await isHit(place, fast)));
  });

  test("makes one call for identical requests at the same time, and each of their callers leaves alone", async () => {
    await using place = await openSharingPlace();
    let leave = (): void => undefined;
    const first = place.ask({ ...fast, stream: true }, { onStart: (hangUp) => void (leave = hangUp) });
    const response = await place.begin(1);
    const begun = Promise.withResolvers<void>();
    const joined = place.ask({ ...fast, stream: true }, { onChunk: () => begun.resolve() });
    await begun.promise;
    leave();
    const left = await first;
    await place.served();
    response.end(streamEnd());
    const shared = await joined;
    const row = await place.rowOf(left);
    assert.deepEqual([row.ending, row.error_code, row.status], ["caller-gone", "client_closed", 200]);
    assert.deepEqual([row.cost_nano_usd, row.basis], [COST, "reported"]);
    assert.ok(row.bytes_out > 0 && row.bytes_out < shared.text.length, `${row.bytes_out} bytes`);
    assert.deepEqual([cacheOf(shared), (await place.rowOf(shared)).saved_nano_usd], ["joined", COST]);
    assert.ok(shared.text.endsWith("data: [DONE]\n\n"));
    assert.deepEqual([place.calls.length, await place.charged()], [1, COST]);
    assert.equal(cacheOf(await place.ask({ ...fast, stream: true })), "hit");
  });

  test("and an Idempotency-Key work together", async () => {
    await using place = await openSharingPlace();
    const first = await made(place, 1);
    const hit = await place.askOnce("k1", fast);
    assert.deepEqual([hit.text, cacheOf(hit)], [first.text, "hit"]);
    const replayed = await place.askOnce("k1", fast);
    assert.deepEqual([replayed.text, replayed.headers["idempotent-replayed"]], [first.text, "true"]);
    assert.equal(replayed.headers["x-headgate-answer-of"], first.headers["x-request-id"]);
    assert.equal((await place.rowOf(replayed)).saved_nano_usd, COST);
    assert.equal((await place.askOnce("k1", { ...fast, seed: 1 })).status, 422);
  });

  test("with a key of its own a request follows one that an equal one without has begun", async () => {
    await using place = await openSharingPlace();
    const first = place.ask({ ...fast, stream: true });
    const response = await place.begin(1);
    const begun = Promise.withResolvers<void>();
    const keyed = place.askOnce("k1", { ...fast, stream: true }, { onChunk: () => begun.resolve() });
    await begun.promise;
    response.end(said(" more") + streamEnd());
    const text = (await first).text;
    assert.equal((await keyed).text, text);
    assert.equal(cacheOf(await keyed), "joined");
    assert.equal((await place.askOnce("k1", { ...fast, stream: true })).text, text);
    assert.equal(place.calls.length, 1);
  });
});

describe("a caller who does not want a kept answer", () => {
  test("refreshes it, by either header", async () => {
    await using place = await openSharingPlace();
    await made(place, 1);
    for (const [call, header] of [
      [2, { "x-headgate-cache": "refresh" }],
      [3, { "cache-control": "no-cache" }],
    ] as const) {
      const asked = place.ask(fast, { headers: header });
      await place.answer(call, `Fresh ${call}`);
      assert.equal(cacheOf(await asked), "miss");
      assert.match((await place.ask(fast)).text, new RegExp(`Fresh ${call}`));
    }
  });

  test("passes the cache by, by either header: nothing is taken and nothing kept", async () => {
    await using place = await openSharingPlace();
    await made(place, 1);
    for (const [call, headers] of [
      [2, { "x-headgate-cache": "bypass" }],
      [3, { "cache-control": "No-Store" }],
    ] as const)
      assert.equal(cacheOf(await made(place, call, fast, headers)), "bypass");
    assert.match((await place.ask(fast)).text, /Answer 1/);
  });

  test("says how old it may be", async () => {
    await using place = await openSharingPlace();
    await made(place, 1);
    assert.ok(await isHit(place, fast, { "cache-control": "max-age=60" }));
    await eventually("the answer to age", async () => (await place.ask(fast)).headers["age"] !== "0");
    assert.ok(!(await isHit(place, fast, { "cache-control": "max-age=0" })));
  });

  test("is told of a wish that nobody knows", async () => {
    await using place = await openSharingPlace();
    const reply = await place.ask(fast, { headers: { "x-headgate-cache": "please" } });
    assert.deepEqual([reply.status, reply.headers["x-headgate-error-code"]], [400, "invalid_header"]);
  });
});

describe("a caller who wants a kept answer", () => {
  test("gets one where the route caches on request, and only then", async () => {
    await using place = await openSharingPlace();
    const asked = { model: "asked" };
    assert.equal(cacheOf(await made(place, 1, asked)), undefined);
    assert.equal(cacheOf(await made(place, 2, asked, { "x-headgate-cache": "use" })), "miss");
    assert.equal(cacheOf(await place.ask(asked, { headers: { "x-headgate-cache": "use" } })), "hit");
    assert.equal(cacheOf(await made(place, 3, asked)), undefined);
  });

  test("gets none where the operator does not cache", async () => {
    await using place = await openSharingPlace();
    for (const call of [1, 2])
      assert.equal(cacheOf(await made(place, call, {}, { "x-headgate-cache": "use" })), undefined);
  });
});

test("a purge reaches a running process at once", async () => {
  await using place = await openSharingPlace();
  await made(place, 1);
  assert.ok(await isHit(place, fast));
  const { db, answers } = place.test.gateway.store;
  const clock = createSystemClock();
  const ids = createIdSource(systemRandomFill, () => clock.wallMs());
  await purgeCache({ db, answers, clock, ids }, { tenantId: null, model: "fast" });
  assert.ok(!(await isHit(place, fast)));
});
