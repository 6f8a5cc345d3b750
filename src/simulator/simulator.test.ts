import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createChat, hello, type Json, openAiKey, parseJson } from "../../test/support/simulator-calls.ts";
import { send } from "../../test/support/simulator-client.ts";
import { createVirtualClock } from "../../test/support/virtual-clock.ts";
import { startSimulator, type Simulator } from "./simulator.ts";

let simulator: Simulator;
before(async () => {
  simulator = await startSimulator({ clock: createVirtualClock() });
});
after(() => simulator[Symbol.asyncDispose]());
const chat = createChat(() => simulator);

describe("the simulator", () => {
  test("gives the same answer to the same request and seed, and another to another seed", async () => {
    const text = async (model: string): Promise<string> =>
      parseJson((await chat({ model })).text).choices[0].message.content;
    assert.equal(await text("sim-chat:tokens=40,seed=7"), await text("sim-chat:tokens=40,seed=7"));
    assert.notEqual(await text("sim-chat:tokens=40,seed=7"), await text("sim-chat:tokens=40,seed=8"));
  });

  test("answers alike after a restart with the same seed, under other ids", async () => {
    const twin = await startSimulator({ clock: createVirtualClock(1) });
    await using _ = twin;
    const body = { model: "sim-chat:reasoning=3", messages: hello };
    const [here, there] = await Promise.all(
      [simulator, twin].map(async ({ url }) =>
        parseJson((await send(`${url}/v1/chat/completions`, { headers: openAiKey, body })).text),
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
    const reply = await chat({}, { ...openAiKey, "x-sim-script": "tokens=2" });
    assert.equal(parseJson(reply.text).usage.completion_tokens, 2);
  });

  test("refuses a body above its limit", async () => {
    const small = await startSimulator({ clock: createVirtualClock() }, { bodyBytes: 100 });
    await using _ = small;
    const reply = await send(`${small.url}/v1/chat/completions`, { headers: openAiKey, body: "x".repeat(101) });
    assert.equal(reply.status, 413);
  });

  test("explains its faults", async () => {
    const { faults } = parseJson((await send(`${simulator.url}/sim/faults`)).text);
    assert.ok(faults.length > 25);
    assert.ok(faults.every((fault: Json) => typeof fault.name === "string" && typeof fault.summary === "string"));
  });
});
