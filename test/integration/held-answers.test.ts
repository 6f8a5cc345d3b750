/** What answers take of the memory together is bounded: those that find no room fail, all others go on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { send, type Reply } from "../support/simulator-client.ts";

/** About 100 kB as a stream. */
const long = "simulator/sim-chat:tokens=400,rate=1000";
const slow = "simulator/sim-chat:tokens=900,rate=300";
/** About 50 kB as a whole. */
const large = "simulator/sim-chat:tokens=10000";

function start(heldBytes: number): Promise<TestGateway> {
  const held = (model: string) => ({
    targets: [{ model }],
    fallbacks: [{ model: large }],
    commit: { at: "complete" as const },
  });
  const models = { held: held(long), "slowly-held": held(slow) };
  return startTestGateway({ config: { limits: { heldBytes }, models } });
}

function ask({ url, key }: TestGateway, model: string, stream: boolean): Promise<Reply> {
  const body = { model, stream, max_tokens: 20_000, messages: [{ role: "user", content: "Hi" }] };
  return send(`${url}/v1/chat/completions`, { body, headers: { authorization: `Bearer ${key}` } });
}

test("of many streams that are held back some find no room, and the rest is answered whole", async () => {
  await using gateway = await start(300_000);
  const replies = await Promise.all(Array.from({ length: 24 }, () => ask(gateway, "held", true)));
  const refused = replies.filter(({ status }) => status !== 200);
  for (const { status, text, headers } of refused) {
    assert.equal(status, 503);
    assert.equal(headers["x-headgate-error-code"], "overloaded");
    assert.equal(headers["x-should-retry"], "false");
    assert.match(text, /limits\.heldBytes/);
    assert.equal(headers["x-headgate-attempts"], undefined, "no other target was called");
  }
  for (const { status, text } of replies) if (status === 200) assert.match(text, /data: \[DONE\]\n\n$/);
  assert.ok(refused.length > 0 && refused.length < replies.length, `${refused.length} of ${replies.length} refused`);
  assert.equal((await ask(gateway, "held", true)).status, 200, "the memory is free again");
});

test("while large answers find no room, small ones and streams that pass through do", async () => {
  await using gateway = await start(10_000);
  let isOver = false;
  const held = ask(gateway, "slowly-held", true).finally(() => (isOver = true));
  await eventually("the memory is full", () => gateway.gateway.standing().heldBytes > 10_000);
  assert.equal((await ask(gateway, large, false)).status, 503);
  assert.equal((await ask(gateway, "simulator/sim-chat:tokens=100", false)).status, 200);
  assert.equal((await ask(gateway, "simulator/sim-chat:tokens=1000", true)).status, 200);
  assert.equal(isOver, false);
  assert.equal((await held).status, 200);
  assert.equal((await ask(gateway, large, false)).status, 200);
});
