/**
 * `kill -9` in the midst of requests that take several calls: some wait to call again, some have two calls under way,
 * some have just won. What the provider billed is charged all the same.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemRandomFill } from "../../src/kernel/ids.ts";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { openDatabase, openStore } from "../../src/storage/storage.ts";
import { createFirstKey } from "../../src/tenancy/first-key.ts";
import { clock, ids } from "../contract/engines.ts";
import { startGatewayProcess, type GatewayPlace } from "../soak/children.ts";
import { eventually } from "../support/eventually.ts";
import { send, type Reply } from "../support/simulator-client.ts";
import { inOrder } from "./course/cases.ts";

const CALLERS = 24;
/** Calls that the provider has seen when the process is killed: early, in the middle, late. */
const KILLED_AFTER_CALLS = [5, 60, 170];
const good = "tokens=30,rate=300";

const models = {
  refused: { targets: inOrder(`sim/sim-chat:${good},status=529,every=2`, `claude/sim-claude:${good}`) },
  cut: {
    targets: inOrder(`claude/sim-claude:${good},fault=cut-mid-token@9,tag=cut`, `sim/sim-chat:${good},tag=after-cut`),
    commit: { at: "complete" },
  },
  silent: {
    targets: inOrder("sim/sim-chat:fault=black-hole", `claude/sim-claude:${good},tag=after-silent`),
    timeouts: { switchMs: 50 },
  },
  again: { targets: [{ model: `sim/sim-chat:${good},status=500,every=2,tag=again` }], retries: { backoffMs: 100 } },
};

/** Asks for one model after the other until the gateway is gone. */
async function ask(url: string, key: string, turn: number): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  const names = Object.keys(models);
  for (let next = turn; ; next++) {
    const reply = await send(`${url}/v1/chat/completions`, {
      headers: { authorization: `Bearer ${key}` },
      body: { model: names[next % names.length], stream: next % 3 > 0, messages: [{ role: "user", content: "Hi" }] },
    });
    if (reply.status === 0 || !reply.complete) return replies;
    replies.push(reply);
  }
}

for (const killedAfter of KILLED_AFTER_CALLS) {
  test(`killed after ${killedAfter} calls, a gateway charges at its next start whatever the provider billed`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "headgate-killed-"));
    try {
      await using simulator = await startSimulator({ clock });
      const dataDir = join(folder, "data");
      const configFile = join(folder, "headgate.yaml");
      const baseUrl = `${simulator.url}/v1`;
      const providers = { sim: { kind: "simulator", baseUrl }, claude: { kind: "simulator-anthropic", baseUrl } };
      writeFileSync(configFile, JSON.stringify({ storage: { dataDir }, providers, models }));
      const db = openDatabase({ dataDir, durability: "process" });
      const key = (await createFirstKey({ db, clock, ids, randomFill: systemRandomFill }))?.plainKey ?? "";
      await db.destroy();

      const place: GatewayPlace = { folder, configFile, env: { HEADGATE_LOG_LEVEL: "silent" } };
      await using gateway = await startGatewayProcess(place, 0);
      const callers = Array.from({ length: CALLERS }, (_, turn) => ask(gateway.url, key, turn));
      await eventually("so many calls", () => {
        const { complete, cancelled, fault, refused, running } = simulator.stats();
        return complete + cancelled + fault + refused + running >= killedAfter;
      });
      await gateway.end("SIGKILL");
      const replies = (await Promise.all(callers)).flat();
      await eventually("the provider notices", () => simulator.stats().running === 0);

      await using store = await openStore({ dataDir, durability: "process", clock, ids });
      assert.deepEqual(await store.db.selectFrom("holds").selectAll().execute(), []);
      const entries = await store.db.selectFrom("ledger_entries").selectAll().execute();
      const charges = new Map(entries.map((entry) => [entry.attempt_id, entry]));
      assert.equal(charges.size, entries.length, "no call is charged twice");
      for (const { clientRequestId, costNanoUsd, ended } of simulator.invoice()) {
        const charge = charges.get(String(clientRequestId));
        assert.ok(charge, `a call that was billed (${ended}) is in the ledger`);
        if (charge.basis === "reported") assert.equal(charge.cost_nano_usd, costNanoUsd);
        if (charge.basis === "worst-case") assert.ok(charge.cost_nano_usd >= costNanoUsd);
      }
      const rows = await store.db.selectFrom("requests").select(["request_id", "ending"]).execute();
      const endings = new Map(rows.map((row) => [row.request_id, row.ending]));
      for (const { status, headers } of replies) {
        const ending = endings.get(String(headers["x-request-id"]));
        assert.ok(status === 200 ? ending === "complete" : ending !== undefined, `${status}, ${ending}`);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
