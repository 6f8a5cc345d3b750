import assert from "node:assert/strict";
import { test } from "node:test";
import type { Gateway } from "../../../src/gateway.ts";
import { findAllowance } from "../../../src/limits/operations/operations.ts";
import { type AccountReport, listAccounts } from "../../../src/limits/operations/accounts.ts";
import { startSimulator } from "../../../src/simulator/simulator.ts";
import { clock } from "../../contract/engines.ts";
import { eventually } from "../../support/eventually.ts";
import { postgresMissing } from "../../support/postgres.ts";
import { type Reply, send } from "../../support/simulator-client.ts";
import { createKeyAndBudget, startOn } from "./gateways.ts";
import { openScene, type Scene } from "./scene.ts";

/** Its answer begins long after the test has looked. */
const UNANSWERED = "simulator/sim-chat:tokens=3,ttft=60000";

/** A request under way, and how its caller hangs up. */
function ask({ url }: Gateway, key: string): { readonly reply: Promise<Reply>; readonly leave: () => void } {
  const body = { model: UNANSWERED, max_tokens: 3, messages: [{ role: "user", content: "Hi" }] };
  let leave = (): void => {};
  const reply = send(`${url}/v1/chat/completions`, {
    body,
    headers: { authorization: `Bearer ${key}` },
    onStart: (hangUp) => (leave = hangUp),
  });
  return { reply, leave: () => leave() };
}

async function readAccount({ db }: Scene): Promise<AccountReport | null> {
  const allowance = await findAllowance(db, { tenantId: null, allowance: "all" });
  const { accounts } = await listAccounts(db, allowance, { nowMs: clock.wallMs(), past: false, limit: 2 });
  return accounts[0] ?? null;
}

test("what the requests of all machines hold is shown, and what a dead one held is in suspense", async (context) => {
  if (postgresMissing !== false) return context.skip(postgresMissing);
  await using scene = await openScene();
  await using simulator = await startSimulator({ clock });
  await using one = await startOn(scene, simulator, "one");
  await using two = await startOn(scene, simulator, "two");
  const key = await createKeyAndBudget(one);
  const held = async (): Promise<bigint> => (await readAccount(scene))?.held ?? 0n;
  const first = ask(one, key);
  await eventually("the first machine says what it holds", async () => (await held()) > 0n);
  const each = await held();
  await eventually("the other knows key and budget", () => two.store.keys.generation() >= one.store.keys.generation());
  const second = ask(two, key);
  await eventually("both say what they hold", async () => (await held()) === 2n * each);

  await eventually("the second machine is fenced", async () => (await fence(scene, two, one)) > 0n);
  const after = await readAccount(scene);
  assert.equal(after?.held, each, "what the other held is not shown beside the suspense that it is in");
  assert.ok(after.suspense >= each, `${after.suspense} is in suspense`);

  for (const { leave } of [first, second]) leave();
  await Promise.all([first.reply, second.reply]);
  await eventually("nothing is held any more", async () => (await held()) === 0n);
});

/** Ends the lease of a gateway, which another one finds ended. Resolves with what is in suspense. */
async function fence({ db }: Scene, gateway: Gateway, other: Gateway): Promise<bigint> {
  const { instanceId } = gateway.store;
  await db.updateTable("allowance_owners").set({ lease_until_ms: 0 }).where("instance_id", "=", instanceId).execute();
  await other.store.bank.reap();
  const sum = db.selectFrom("allowance_accounts").select((row) => row.fn.sum<bigint>("suspense_amount").as("amount"));
  return (await sum.executeTakeFirstOrThrow()).amount;
}
