import assert from "node:assert/strict";
import { test } from "node:test";
import type { Gateway } from "../../../src/gateway.ts";
import { startSimulator } from "../../../src/simulator/simulator.ts";
import { clock } from "../../contract/engines.ts";
import { eventually } from "../../support/eventually.ts";
import { postgresMissing } from "../../support/postgres.ts";
import { type Reply, send } from "../../support/simulator-client.ts";
import { createKeyAndBudget, startOn } from "./gateways.ts";
import { openScene } from "./scene.ts";
import { readBooks } from "./traffic.ts";

function ask({ url }: Gateway, key: string): Promise<Reply> {
  const body = { model: "simulator/sim-chat:tokens=3", max_tokens: 3, messages: [{ role: "user", content: "Hi" }] };
  return send(`${url}/v1/chat/completions`, { body, headers: { authorization: `Bearer ${key}` } });
}

test("a gateway goes on from its grants while the database is away, and all of it is charged", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  await using simulator = await startSimulator({ clock });
  await using gateway = await startOn(scene, simulator, "one");
  const key = await createKeyAndBudget(gateway);
  for (let count = 0; count < 20; count++) assert.equal((await ask(gateway, key)).status, 200);
  scene.proxy.leave();
  const replies: number[] = [];
  for (let count = 0; count < 5; count++) replies.push((await ask(gateway, key)).status);
  scene.proxy.comeBack();
  assert.deepEqual(replies, [200, 200, 200, 200, 200]);
  await eventually("all is delivered", async () => (await readBooks(scene.db)).requests === 25);
  const { entries, cost, spent } = await readBooks(scene.db);
  assert.deepEqual([entries, spent], [25, cost]);
});

test("a gateway that starts without the database refuses what a budget covers, with when to try again, until it is back", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  await using simulator = await startSimulator({ clock });
  let key: string;
  {
    await using before = await startOn(scene, simulator, "one");
    key = await createKeyAndBudget(before);
  }
  scene.proxy.leave();
  await using gateway = await startOn(scene, simulator, "one");
  const refused = await ask(gateway, key);
  assert.deepEqual([refused.status, refused.headers["x-headgate-error-code"]], [503, "storage_unavailable"]);
  assert.notEqual(refused.headers["retry-after"], undefined);
  assert.equal((await ask(gateway, "hg-unknown")).status, 401);
  scene.proxy.comeBack();
  await eventually("it is served", async () => (await ask(gateway, key)).status === 200);
});

test("a gateway that starts without the database serves what a soft budget covers, and it is counted there afterwards", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  await using simulator = await startSimulator({ clock });
  let key: string;
  {
    await using before = await start();
    key = await createKeyAndBudget(before, "soft");
    await eventually("it knows the key", async () => before.store.keys.generation() > 0);
  }
  scene.proxy.leave();
  await using gateway = await start();
  for (let count = 0; count < 3; count++) assert.equal((await ask(gateway, key)).status, 200);
  assert.equal(await accounts(), 0, "nobody has drawn from it before");
  scene.proxy.comeBack();
  await eventually("all is delivered", async () => (await readBooks(scene.db)).requests === 3);
  const { entries, cost, spent } = await readBooks(scene.db);
  assert.ok(cost > 0n);
  assert.deepEqual([entries, spent], [3, cost]);

  function start(): Promise<Gateway> {
    return startOn(scene, simulator, "one");
  }

  async function accounts(): Promise<number> {
    return (await scene.db.selectFrom("allowance_accounts").select("account_id").execute()).length;
  }
});

test("two gateways on two machines keep one budget together", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  await using simulator = await startSimulator({ clock });
  await using one = await startOn(scene, simulator, "one");
  await using two = await startOn(scene, simulator, "two");
  const key = await createKeyAndBudget(one);
  await eventually("the other knows the key", async () => (await ask(two, key)).status === 200);
  await eventually("it is charged", async () => (await readBooks(scene.db)).cost > 0n);
  const { cost: price } = await readBooks(scene.db);
  await scene.db
    .updateTable("allowance_accounts")
    .set({ limit_amount: price * 11n })
    .execute();
  await scene.db
    .updateTable("allowances")
    .set({ limit_amount: price * 11n })
    .execute();
  const replies = await Promise.all(Array.from({ length: 30 }, (_, index) => ask(index % 2 === 0 ? one : two, key)));
  const served = replies.filter(({ status }) => status === 200).length;
  assert.equal(replies.filter(({ status }) => status === 402).length, 30 - served);
  await Promise.all([one.store.delivered(), two.store.delivered()]);
  const { cost } = await readBooks(scene.db);
  assert.ok(cost <= price * 11n, `${cost} was spent of ${price * 11n}`);
});
