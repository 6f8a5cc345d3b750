import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { AnswerStore, KeptAnswer, Meaning } from "../../src/storage/answers/answers.ts";
import { purgeCache } from "../../src/storage/answers/cache-purges.ts";
import { openAnswers } from "../../src/storage/answers/open-answers.ts";
import type { Store } from "../../src/storage/storage.ts";
import { eventually } from "../support/eventually.ts";
import { clock, type Engine, engines, ids, type Place } from "./engines.ts";
import { aClaim, anAnswer, cached } from "./kept-samples.ts";

const keepScript = fileURLToPath(new URL("./children/keep.ts", import.meta.url));

async function withStore(engine: Engine, act: (store: Store, another: Store) => Promise<void>): Promise<void> {
  await using place = await engine.createPlace();
  await using store = await place.openStore();
  await using another = await place.openStore();
  await act(store, another);
}

/** Bytes compare as bytes, whatever class an engine gives them. */
function plain(answer: KeptAnswer | null): unknown {
  return answer === null ? null : { ...answer, body: [...answer.body] };
}

async function keysOf(answers: AnswerStore, keys: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(keys.map(async (key) => answers.findCached(key)));
  return found.flatMap((each) => (each === null ? [] : [each.cacheKey]));
}

for (const engine of engines) {
  describe(`keys of requests on ${engine.name}`, () => {
    test("of many claims of a key one succeeds, and the others see whose request it is", () =>
      withStore(engine, async (store, another) => {
        const claims = ["a", "b", "c", "d", "e", "f"].map((id, index) =>
          (index % 2 === 0 ? store : another).answers.claim(aClaim("key", id)),
        );
        const results = await Promise.all(claims);
        assert.equal(results.filter(({ state }) => state === "claimed").length, 1);
        const winner = ["a", "b", "c", "d", "e", "f"][results.findIndex(({ state }) => state === "claimed")];
        for (const result of results) {
          if (result.state !== "claimed") assert.deepEqual(result, { state: "running", fingerprint: `of ${winner}` });
        }
      }));

    test("what is kept under a key is given to whoever claims it, to the byte", () =>
      withStore(engine, async (store, another) => {
        await store.answers.claim(aClaim("key", "a"));
        assert.ok(await store.answers.keep({ keyHash: "key", claimId: "a" }, anAnswer, 60_000));
        const result = await another.answers.claim(aClaim("key", "b"));
        assert.equal(result.state, "answered");
        assert.equal(result.state === "answered" && result.fingerprint, "of a");
        assert.deepEqual(plain(result.state === "answered" ? result.answer : null), plain(anAnswer));
      }));

    test("of an answer that was too large only that it was given is kept", () =>
      withStore(engine, async (store) => {
        await store.answers.claim(aClaim("key", "a"));
        await store.answers.keep({ keyHash: "key", claimId: "a" }, null, 60_000);
        const result = await store.answers.claim(aClaim("key", "b"));
        assert.deepEqual(result, { state: "answered", fingerprint: "of a", answer: null });
      }));

    test("a key that is released is free at once, but only its holder can release it", () =>
      withStore(engine, async (store, another) => {
        await store.answers.claim(aClaim("key", "a"));
        await another.answers.release({ keyHash: "key", claimId: "b" });
        assert.equal((await another.answers.claim(aClaim("key", "b"))).state, "running");
        await store.answers.release({ keyHash: "key", claimId: "a" });
        assert.equal((await another.answers.claim(aClaim("key", "b"))).state, "claimed");
      }));

    test("a claim whose lease ended is another's to take, and its first holder keeps nothing any more", () =>
      withStore(engine, async (store, another) => {
        await store.answers.claim(aClaim("key", "a", 0));
        assert.equal((await another.answers.claim(aClaim("key", "b"))).state, "claimed");
        assert.equal(await store.answers.keep({ keyHash: "key", claimId: "a" }, anAnswer, 60_000), false);
        await store.answers.release({ keyHash: "key", claimId: "a" });
        assert.equal((await store.answers.claim(aClaim("key", "c"))).state, "running");
      }));

    test("a claim that is renewed goes on", () =>
      withStore(engine, async (store, another) => {
        await store.answers.claim(aClaim("key", "a", 0));
        await store.answers.renew([], 60_000);
        await store.answers.renew(["a", "unknown"], 60_000);
        assert.equal((await another.answers.claim(aClaim("key", "b"))).state, "running");
      }));

    test("a key whose retention is over is free", () =>
      withStore(engine, async (store) => {
        await store.answers.claim(aClaim("key", "a"));
        await store.answers.keep({ keyHash: "key", claimId: "a" }, anAnswer, 0);
        assert.equal((await store.answers.claim(aClaim("key", "b"))).state, "claimed");
      }));

    test("a sweep drops what is over and nothing else", () =>
      withStore(engine, async (store) => {
        const { answers } = store;
        await answers.claim(aClaim("running", "a"));
        await answers.claim(aClaim("left", "b", 0));
        await answers.claim(aClaim("kept", "c"));
        await answers.keep({ keyHash: "kept", claimId: "c" }, anAnswer, 60_000);
        await answers.sweep(1e9);
        assert.equal((await answers.claim(aClaim("running", "d"))).state, "running");
        assert.equal((await answers.claim(aClaim("kept", "d"))).state, "answered");
      }));
  });

  describe(`cached answers on ${engine.name}`, () => {
    test("are found by every process until they expire, to the byte", () =>
      withStore(engine, async (store, another) => {
        await store.answers.cache(cached("one"));
        await store.answers.cache(cached("over", { expiresAtMs: clock.wallMs() - 1 }));
        const found = await another.answers.findCached("one");
        assert.deepEqual(plain(found?.answer ?? null), plain(anAnswer));
        assert.deepEqual([found?.tenantId, found?.modelAsked], ["ten_1", "fast"]);
        assert.deepEqual(await keysOf(another.answers, ["one", "over", "other"]), ["one"]);
      }));

    test("a later answer takes the place of an earlier one", () =>
      withStore(engine, async (store) => {
        await store.answers.cache(cached("one"));
        await store.answers.cache(cached("one", { requestId: "req_2" }));
        assert.equal((await store.answers.findCached("one"))?.answer.requestId, "req_2");
      }));

    test("the oldest are swept away beyond the size that is allowed", () =>
      withStore(engine, async (store) => {
        for (const [index, key] of ["oldest", "older", "newest"].entries())
          await store.answers.cache(cached(key, { atMs: 1_800_000_000_000 + index }));
        const sums = await store.answers.sumCached();
        assert.deepEqual(
          sums.map(({ tenantId, modelAsked, answers }) => [tenantId, modelAsked, answers]),
          [["ten_1", "fast", 3]],
        );
        await store.answers.sweep(((sums[0]?.bytes ?? 0) * 2) / 3);
        assert.deepEqual(await keysOf(store.answers, ["oldest", "older", "newest"]), ["older", "newest"]);
        await store.answers.sweep(0);
        assert.deepEqual(await store.answers.sumCached(), []);
      }));

    test("a purge drops those of its tenant and model, and every process reads of it", () =>
      withStore(engine, async (store, another) => {
        await store.answers.cache(cached("asked"));
        await store.answers.cache(cached("served", { modelAsked: "openai/gpt-5-mini" }));
        await store.answers.cache(cached("model", { modelAsked: "slow", modelServed: "openai/gpt-5" }));
        await store.answers.cache(cached("tenant", { tenantId: "ten_2" }));
        const before = another.cachePurges.generation();
        const deps = { db: store.db, answers: store.answers, clock, ids };
        assert.equal(await purgeCache(deps, { tenantId: "ten_1", model: "openai/gpt-5-mini" }), 2);
        assert.deepEqual(await keysOf(store.answers, ["asked", "served", "model", "tenant"]), ["model", "tenant"]);
        const [purge] = await eventually("the purge at the other process", () => {
          const purges = another.cachePurges.generation() === before ? [] : another.cachePurges.since(0);
          return purges.length === 0 ? null : purges;
        });
        assert.deepEqual([purge?.tenantId, purge?.model], ["ten_1", "openai/gpt-5-mini"]);
        assert.deepEqual(another.cachePurges.since(clock.wallMs() + 1000), []);
        assert.equal(await purgeCache(deps, { tenantId: null, model: null }), 2);
      }));

    test("are found by what they mean, the newest first and in portions, until they expire or are replaced", () =>
      withStore(engine, async (store, another) => {
        const { answers } = store;
        const meaning = (partition: string, first: number): Meaning => {
          return { partition, vector: Float32Array.of(first, 0.5, -1e-7) };
        };
        const atMs = anAnswer.atMs;
        for (const [index, key] of ["oldest", "older", "newest"].entries())
          await answers.cache(cached(key, { atMs: atMs + index }), meaning("p", index));
        await answers.cache(cached("over", { expiresAtMs: clock.wallMs() - 1 }), meaning("p", 9));
        await answers.cache(cached("of another"), meaning("q", 9));
        await answers.cache(cached("of none"));
        const find = async (sinceMs: number, offset: number, limit: number): Promise<readonly string[]> => {
          const found = await another.answers.findMeanings({ partition: "p", sinceMs, offset, limit });
          return found.map(({ cacheKey }) => cacheKey);
        };
        assert.deepEqual(await find(0, 0, 10), ["newest", "older", "oldest"]);
        assert.deepEqual(await find(0, 1, 1), ["older"]);
        assert.deepEqual(await find(atMs + 1, 0, 10), ["newest", "older"]);
        const [newest] = await another.answers.findMeanings({ partition: "p", sinceMs: 0, offset: 0, limit: 1 });
        assert.deepEqual([...(newest?.vector ?? [])], [...Float32Array.of(2, 0.5, -1e-7)]);
        assert.equal(newest?.atMs, atMs + 2);
        await answers.cache(cached("newest", { atMs: atMs + 2 }));
        assert.deepEqual(await find(0, 0, 10), ["older", "oldest"]);
        await answers.dropCached({ tenantId: "ten_1", model: null });
        assert.deepEqual(await find(0, 0, 10), []);
      }));

    test("count the bytes of their meaning", () =>
      withStore(engine, async ({ answers }) => {
        await answers.cache(cached("one"));
        const [plain] = await answers.sumCached();
        await answers.cache(cached("one"), { partition: "p", vector: new Float32Array(100) });
        const [meant] = await answers.sumCached();
        assert.equal((meant?.bytes ?? 0) - (plain?.bytes ?? 0), 400);
      }));

    test("a command sees and drops what processes keep", async () => {
      await using place = await engine.createPlace();
      await using store = await place.openStore();
      {
        await using none = openAnswers(place.options, clock);
        assert.deepEqual(await none.answers.sumCached(), []);
      }
      await store.answers.claim(aClaim("key", "a"));
      await store.answers.cache(cached("one"));
      await using command = openAnswers(place.options, clock);
      assert.equal((await command.answers.sumCached()).length, 1);
      assert.equal(await command.answers.dropCached({ tenantId: null, model: null }), 1);
      assert.equal((await store.answers.claim(aClaim("key", "b"))).state, "running");
    });
  });
}

describe("the file of kept answers on sqlite", () => {
  const sqlite = engines.find(({ name }) => name === "sqlite") as Engine;

  test("is not made before something is to be kept in it", async () => {
    await using place = await sqlite.createPlace();
    await using store = await place.openStore();
    await store.answers.sweep(0);
    assert.equal(existsSync(join(place.dataDir, "answers.db")), false);
  });

  test("a claim that a dead process left is free for the next one that opens it", async () => {
    await using place = await sqlite.createPlace();
    {
      await using dead = await place.openStore();
      await dead.answers.claim(aClaim("key", "a"));
    }
    await using store = await place.openStore();
    assert.equal((await store.answers.claim(aClaim("key", "b"))).state, "claimed");
  });

  test("a process killed in mid-load leaves every answer that it said was kept, and no claim", async () => {
    await using place = await sqlite.createPlace();
    const { claimed, kept } = await killWhileKeeping(place);
    await using store = await place.openStore();
    const results = new Map<string, string>();
    for (const key of claimed) {
      const result = await store.answers.claim(aClaim(key, `again ${key}`));
      if (result.state === "answered") assert.equal(result.answer?.requestId, key);
      results.set(key, result.state);
      assert.equal(result.state === "running", false, key);
    }
    for (const key of kept) {
      assert.equal(results.get(key), "answered");
      assert.equal((await store.answers.findCached(key))?.answer.requestId, key);
    }
    assert.ok(kept.length >= 500 && kept.length < claimed.length, `${kept.length} of ${claimed.length}`);
  });
});

/** What the process had said when it was killed. */
async function killWhileKeeping(place: Place): Promise<{ claimed: readonly string[]; kept: readonly string[] }> {
  const file = join(place.dataDir, "acknowledged.txt");
  const child = spawn(process.execPath, [keepScript, JSON.stringify(place.options), file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await Promise.race([
    once(child.stdout, "data"),
    once(child, "exit").then(([code]) =>
      Promise.reject(new Error(`the process ended by itself, code ${String(code)}`)),
    ),
  ]);
  child.kill("SIGKILL");
  await once(child, "close");
  const lines = readFileSync(file, "utf8").split("\n");
  const keysOf = (what: string): readonly string[] =>
    lines.flatMap((line) => (line.startsWith(`${what} `) ? [line.slice(what.length + 1)] : []));
  return { claimed: keysOf("claimed"), kept: keysOf("kept") };
}
