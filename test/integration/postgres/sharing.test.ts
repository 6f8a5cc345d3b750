import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { pino } from "pino";
import { defaultConfig, defaultProvider } from "../../../src/config/defaults.ts";
import { createSecret } from "../../../src/config/secret.ts";
import { type Gateway, startGateway } from "../../../src/gateway.ts";
import { systemRandomFill } from "../../../src/kernel/ids.ts";
import { purgeCache } from "../../../src/storage/answers/cache-purges.ts";
import { createFirstKey } from "../../../src/tenancy/first-key.ts";
import { clock, ids } from "../../contract/engines.ts";
import { eventually } from "../../support/eventually.ts";
import { startLocalServer } from "../../support/local-server.ts";
import { postgresMissing } from "../../support/postgres.ts";
import { type Reply, send } from "../../support/simulator-client.ts";
import { openScene, type Scene } from "./scene.ts";

interface Machines extends AsyncDisposable {
  readonly scene: Scene;
  readonly one: Gateway;
  readonly two: Gateway;
  /** At the provider, in order. */
  readonly calls: ServerResponse[];
  ask(gateway: Gateway, fields: object, idempotencyKey?: string): Promise<Reply>;
  answer(call: number): Promise<void>;
}

async function openMachines(): Promise<Machines> {
  await using opened = new AsyncDisposableStack();
  const scene = opened.use(await openScene());
  const calls: ServerResponse[] = [];
  const provider = opened.use(
    await startLocalServer((request, response) => {
      request.resume().on("end", () => calls.push(response));
    }),
  );
  const start = async (machine: string): Promise<Gateway> => {
    const own = defaultProvider("openai-compatible", { baseUrl: `${provider.url}/v1` });
    const config = defaultConfig({
      server: { port: 0, shutdownGraceMs: 500 },
      providers: { own },
      models: { fast: { targets: [{ model: "own/m" }], cache: { mode: "exact" } } },
    });
    const { dataDir } = scene.optionsOf(machine);
    const storage = { ...config.storage, dataDir, postgres: createSecret(scene.proxy.url, "test") };
    const overrides = { logger: pino({ level: "silent" }) };
    return opened.use(await startGateway({ ...config, storage }, { version: "0.0.0-test", overrides }));
  };
  const one = await start("one");
  const { plainKey = "" } =
    (await createFirstKey({ db: one.store.db, clock, ids, randomFill: systemRandomFill })) ?? {};
  const two = await start("two");
  const resources = opened.move();
  return {
    scene,
    one,
    two,
    calls,
    ask({ url }, fields, idempotencyKey) {
      const body = { model: "own/m", messages: [{ role: "user", content: "Hi" }], ...fields };
      const keyed: Record<string, string> = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
      return send(`${url}/v1/chat/completions`, { body, headers: { authorization: `Bearer ${plainKey}`, ...keyed } });
    },
    async answer(call) {
      const response = await eventually(`call ${call}`, () => calls[call - 1]);
      const choices = [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: `Answer ${call}` } }];
      const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ id: "1", object: "chat.completion", created: 1, model: "m", choices, usage }));
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

test("two machines make a request with an Idempotency-Key once: the other waits for its answer", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using machines = await openMachines();
  const { one, two, calls } = machines;
  const asked = [machines.ask(one, {}, "k1"), machines.ask(two, {}, "k1"), machines.ask(one, {}, "k1")];
  await machines.answer(1);
  const replies = await Promise.all(asked);
  assert.deepEqual(
    replies.map(({ status }) => status),
    [200, 200, 200],
  );
  assert.equal(new Set(replies.map(({ text }) => text)).size, 1);
  assert.equal(replies.filter(({ headers }) => headers["idempotent-replayed"] === undefined).length, 1);
  assert.equal((await machines.ask(two, { seed: 1 }, "k1")).status, 422);
  assert.equal(calls.length, 1);
});

test("a machine gives what another has cached, until it is purged", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using machines = await openMachines();
  const { one, two } = machines;
  const asked = machines.ask(one, { model: "fast" });
  await machines.answer(1);
  const first = await asked;
  await eventually("the answer to be written", async () => (await one.store.answers.sumCached()).length === 1);
  const hit = await machines.ask(two, { model: "fast" });
  assert.deepEqual([hit.text, hit.headers["x-headgate-cache"]], [first.text, "hit"]);
  const before = two.store.cachePurges.generation();
  await purgeCache({ db: one.store.db, answers: one.store.answers, clock, ids }, { tenantId: null, model: null });
  await eventually("the other machine knows of the purge", () => two.store.cachePurges.generation() > before);
  const again = machines.ask(two, { model: "fast" });
  await machines.answer(2);
  assert.equal((await again).headers["x-headgate-cache"], "miss");
});

test("without the database a request with an Idempotency-Key is not made, and one without is", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using machines = await openMachines();
  const { one, scene, calls } = machines;
  const warm = machines.ask(one, {});
  await machines.answer(1);
  await warm;
  scene.proxy.leave();
  const refused = await machines.ask(one, {}, "k1");
  assert.deepEqual([refused.status, refused.headers["x-headgate-error-code"]], [503, "storage_unavailable"]);
  assert.ok(Number(refused.headers["retry-after"]) > 0);
  assert.equal(calls.length, 1);
  for (const call of [2, 3]) {
    const cached = machines.ask(one, { model: "fast" });
    if (call === 2) await machines.answer(2);
    assert.equal((await cached).headers["x-headgate-cache"], call === 2 ? "miss" : "hit");
  }
  scene.proxy.comeBack();
  const probe = { keyHash: "probe", claimId: "probe", tenantId: "", fingerprint: "", leaseMs: 0 };
  await eventually("keys can be claimed again", () => one.store.answers.claim(probe).catch(() => null));
  const asked = machines.ask(one, {}, "k1");
  await machines.answer(3);
  assert.equal((await asked).status, 200);
});

test("an answer under a key that is complete without the database is not made again, anywhere", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using machines = await openMachines();
  const { one, two, scene, calls } = machines;
  const asked = machines.ask(one, {}, "k1");
  await eventually("the call", () => calls[0]);
  scene.proxy.leave();
  await machines.answer(1);
  const first = await asked;
  assert.equal(first.status, 200);
  const again = await machines.ask(one, {}, "k1");
  assert.deepEqual([again.text, again.headers["idempotent-replayed"]], [first.text, "true"]);
  const refused = await machines.ask(two, {}, "k1");
  assert.deepEqual([refused.status, refused.headers["x-headgate-error-code"]], [503, "storage_unavailable"]);
  scene.proxy.comeBack();
  const elsewhere = await eventually("the other machine can ask again", async () => {
    const reply = await machines.ask(two, {}, "k1");
    return reply.status === 503 ? null : reply;
  });
  assert.deepEqual([elsewhere.text, elsewhere.headers["idempotent-replayed"]], [first.text, "true"]);
  assert.equal(calls.length, 1);
  await eventually("nothing is held any more", () => one.standing().heldBytes === 0);
});
