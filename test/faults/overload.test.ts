import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { connectRaw } from "../support/raw-http.ts";
import { send } from "../support/simulator-client.ts";
import { overloadLines } from "./lines/overload.ts";
import { answered } from "./outcome.ts";
import { openScene } from "./scene.ts";
import { testLines, together } from "./test-lines.ts";

const CONNECTIONS = 3;

testLines(overloadLines, {
  "requests at the limit": together(async (all) => {
    await using scene = await openScene({ limits: { concurrentRequests: 1 } });
    const first = scene.ask({ stream: true, script: "tokens=40,rate=15" });
    await scene.whenCalled();
    const refused = await Promise.allSettled(all.map((one) => scene.check(scene.ask(one), one)));
    const served = { outcome: answered(), stream: true, caller: "openai-chat" } as const;
    await scene.check(first, served);
    await scene.check(scene.ask({ stream: true }), served);
    await scene.assertBooks();
    return refused;
  }),

  async "connections at the limit"(one) {
    await using scene = await openScene({ limits: { connections: CONNECTIONS } });
    const idle = await Promise.all(Array.from({ length: CONNECTIONS }, () => connectRaw(scene.test.url)));
    await scene.check(scene.ask(one), one);
    for (const { socket } of idle) assert.equal(socket.readyState, "open");
    idle[0]?.[Symbol.dispose]();
    await eventually("there is room", async () => (await send(`${scene.test.url}/healthz`)).status === 200);
    for (const connection of idle) connection[Symbol.dispose]();
    await scene.assertBooks();
  },
});
