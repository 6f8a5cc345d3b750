import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { send, type Reply } from "../../test/support/simulator-client.ts";
import { createVirtualClock } from "../../test/support/virtual-clock.ts";
import { startSimulator, type Simulator } from "./simulator.ts";

const KEY = { authorization: "Bearer sk-test-1234" };
const HELLO = [{ role: "user", content: "Tell me of the river" }];

let simulator: Simulator;
before(async () => {
  simulator = await startSimulator({ clock: createVirtualClock() });
});
after(() => simulator[Symbol.asyncDispose]());

function chat(body: object, headers: Readonly<Record<string, string>> = KEY): Promise<Reply> {
  return send(`${simulator.url}/v1/chat/completions`, {
    headers,
    body: { model: "sim-chat", messages: HELLO, ...body },
  });
}

type Json = ReturnType<typeof JSON.parse>;
const parse = (text: string): Json => JSON.parse(text);

describe("the simulator", () => {
  test("gives the same answer to the same request and seed, and another to another seed", async () => {
    const text = async (model: string): Promise<string> =>
      parse((await chat({ model })).text).choices[0].message.content;
    assert.equal(await text("sim-chat:tokens=40,seed=7"), await text("sim-chat:tokens=40,seed=7"));
    assert.notEqual(await text("sim-chat:tokens=40,seed=7"), await text("sim-chat:tokens=40,seed=8"));
  });

  test("answers alike after a restart with the same seed, under other ids", async () => {
    const twin = await startSimulator({ clock: createVirtualClock(1) });
    await using _ = twin;
    const body = { model: "sim-chat:reasoning=3", messages: HELLO };
    const [here, there] = await Promise.all(
      [simulator, twin].map(async ({ url }) =>
        parse((await send(`${url}/v1/chat/completions`, { headers: KEY, body })).text),
      ),
    );
    assert.deepEqual(here.choices, there.choices);
    assert.notEqual(here.id, there.id);
  });

  test("takes requests without a key unless told otherwise, and books them under none", async () => {
    assert.equal((await chat({ model: "sim-chat:tokens=1,seed=41" }, {})).status, 200);
    assert.equal(simulator.invoice().at(-1)?.apiKey, "none");
  });

  test("takes a script from the header", async () => {
    const reply = await chat({}, { ...KEY, "x-sim-script": "tokens=2" });
    assert.equal(parse(reply.text).usage.completion_tokens, 2);
  });

  test("refuses a body above its limit", async () => {
    const small = await startSimulator({ clock: createVirtualClock() }, { bodyBytes: 100 });
    await using _ = small;
    const reply = await send(`${small.url}/v1/chat/completions`, { headers: KEY, body: "x".repeat(101) });
    assert.equal(reply.status, 413);
  });

  test("explains its faults", async () => {
    const { faults } = parse((await send(`${simulator.url}/sim/faults`)).text);
    assert.ok(faults.length > 25);
    assert.ok(faults.every((fault: Json) => typeof fault.name === "string" && typeof fault.summary === "string"));
  });
});
