import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Store, StoreEvents } from "../../../src/storage/storage.ts";
import { clock } from "../../contract/engines.ts";
import { eventually } from "../../support/eventually.ts";
import { postgresMissing, startTestServer } from "../../support/postgres.ts";
import { createVirtualClock } from "../../support/virtual-clock.ts";
import { createKey, openScene, sceneOn } from "./scene.ts";
import { drawAll, exactly, readBooks, serve, serveMany } from "./traffic.ts";

test("gone for ten seconds: requests are held, settled and authenticated; all is there once when it is back", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  const { events, told } = listen();
  const virtual = createVirtualClock();
  await using store = await scene.openMachine("one", { clock: virtual, events });
  const { hash } = await createKey(store);
  const grant = await drawAll(scene.db, store.instanceId);
  await serveMany(store, 50, grant);
  await store.delivered();

  scene.proxy.leave();
  for (let second = 0; second < 10; second++) {
    await serveMany(store, 20, grant);
    virtual.advance(1000);
    await nextTurn();
  }
  await eventually("the loss is told", () => told.includes("lost"));
  assert.notEqual(store.keys.find(hash), null);
  await assert.rejects(store.db.selectFrom("tenants").selectAll().execute(), { code: "storage_unavailable" });
  await assert.rejects(store.bank.renew(grant.ownerId, 30_000), { code: "storage_unavailable" });
  await assert.rejects(store.delivered(), { code: "storage_unavailable" });
  assert.deepEqual(await readBooks(scene.db), exactly(50));

  scene.proxy.comeBack();
  await eventually("it is delivered", async () => {
    virtual.advance(1000);
    await nextTurn();
    return (await readBooks(scene.db)).requests === 250;
  });
  assert.deepEqual(await readBooks(scene.db), exactly(250));
  await eventually("the return is told", () => told.includes("back"));
});

test("ended and started again in the midst of traffic, three times: nothing is lost and nothing doubled", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  const server = await startTestServer();
  await using scene = await sceneOn({ url: server.urlOf("postgres"), [Symbol.asyncDispose]: async () => {} });
  await using store = await scene.openMachine("one");
  const grant = await drawAll(scene.db, store.instanceId);
  let served = 0;
  for (let round = 0; round < 3; round++) {
    const traffic = Array.from({ length: 20 }, async () => {
      for (let index = 0; index < 20; index++) {
        await serve(store, grant);
        served++;
        await nextTurn();
      }
    });
    await eventually("some of it is served", () => served > round * 400 + 100);
    await server.crash();
    await Promise.all(traffic);
    await server.start();
  }
  await deliverEventually(store);
  assert.deepEqual(await readBooks(scene.db), exactly(1200));
});

test("fallen silent: it is left for a new connection within seconds", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  await using store = await scene.openMachine("one");
  const grant = await drawAll(scene.db, store.instanceId);
  await serveMany(store, 10, grant);
  await store.delivered();
  scene.proxy.fallSilent();
  await serveMany(store, 10, grant);
  const silentMs = clock.monotonicMs();
  await assert.rejects(store.delivered(), { code: "storage_unavailable", message: /timeout/i });
  assert.ok(clock.monotonicMs() - silentMs < 10_000);
  scene.proxy.comeBack();
  await deliverEventually(store);
  assert.deepEqual(await readBooks(scene.db), exactly(20));
});

test("a first start without the database is refused with what to do", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  scene.proxy.leave();
  await assert.rejects(scene.openMachine("one"), {
    code: "storage_unusable",
    message: /cannot be reached: .*The first start on a machine needs it\..*storage\.postgres/,
  });
});

test("a later start without the database goes on from the last copy, and delivers what was left when it is back", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  const before = await scene.openMachine("one");
  const { hash } = await createKey(before);
  await serveMany(before, 10, null);
  scene.proxy.leave();
  await serveMany(before, 10, null);
  await before[Symbol.asyncDispose]();

  const { events, told } = listen();
  await using after = await scene.openMachine("one", { events });
  assert.deepEqual(told, ["lost"]);
  assert.notEqual(after.keys.find(hash), null);
  await serveMany(after, 10, null);
  scene.proxy.comeBack();
  await deliverEventually(after);
  assert.equal((await readBooks(scene.db)).entries, 30);
  const instances = await after.journalDb.selectFrom("instances").select("id").execute();
  assert.deepEqual(
    instances.map(({ id }) => id),
    [after.instanceId],
  );
});

test("a database that refuses the user stops a start, whatever was copied", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  await using first = await scene.openMachine("one");
  await createKey(first);
  const url = scene.proxy.url.replace("headgate@", "nobody@").replace("headgate:@", "nobody:@");
  await assert.rejects(scene.openMachine("one", { postgres: { url } }), {
    code: "storage_unusable",
    message: /does not let Headgate in: .*nobody.*Correct `storage\.postgres`/,
  });
});

function listen(): { readonly events: Partial<StoreEvents>; readonly told: string[] } {
  const told: string[] = [];
  return { events: { sharedDatabase: (state) => told.push(state) }, told };
}

async function deliverEventually(store: Store): Promise<void> {
  await eventually("all is delivered", () =>
    store.delivered().then(
      () => true,
      () => false,
    ),
  );
}
