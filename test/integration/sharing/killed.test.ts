import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemRandomFill } from "../../../src/kernel/ids.ts";
import { openDatabase } from "../../../src/storage/storage.ts";
import { createFirstKey } from "../../../src/tenancy/first-key.ts";
import { clock, ids } from "../../contract/engines.ts";
import { type GatewayPlace, startGatewayProcess } from "../../soak/children.ts";
import { eventually } from "../../support/eventually.ts";
import { startLocalServer } from "../../support/local-server.ts";
import { type Reply, send } from "../../support/simulator-client.ts";

test("after kill -9 what was answered is replayed, and what was interrupted is made anew", async () => {
  const folder = mkdtempSync(join(tmpdir(), "headgate-killed-"));
  const calls: ServerResponse[] = [];
  await using provider = await startLocalServer((request, response) => {
    request.resume().on("end", () => calls.push(response));
  });
  const configFile = join(folder, "headgate.yaml");
  const dataDir = join(folder, "data");
  const providers = { own: { kind: "openai-compatible", baseUrl: `${provider.url}/v1` } };
  writeFileSync(configFile, JSON.stringify({ storage: { dataDir }, providers }));
  const db = openDatabase({ dataDir, durability: "process" });
  const key = (await createFirstKey({ db, clock, ids, randomFill: systemRandomFill }))?.plainKey ?? "";
  const place: GatewayPlace = { folder, configFile, env: { HEADGATE_LOG_LEVEL: "silent" } };

  const ask = (url: string, idempotencyKey: string): Promise<Reply> =>
    send(`${url}/v1/chat/completions`, {
      body: { model: "own/m", messages: [{ role: "user", content: "Hi" }] },
      headers: { authorization: `Bearer ${key}`, "idempotency-key": idempotencyKey },
    });
  const answer = async (call: number): Promise<void> => {
    const response = await eventually(`call ${call}`, () => calls[call - 1]);
    const message = { role: "assistant", content: `Answer ${call}` };
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        id: "1",
        object: "chat.completion",
        created: 1,
        model: "m",
        choices: [{ index: 0, finish_reason: "stop", message }],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      }),
    );
  };

  try {
    await using killed = await startGatewayProcess(place, 0);
    const answered = ask(killed.url, "answered");
    await answer(1);
    const first = await answered;
    assert.equal(first.status, 200, first.text);
    const interrupted = ask(killed.url, "interrupted");
    await eventually("call 2", () => calls[1]);
    await killed.end("SIGKILL");
    assert.equal((await interrupted).status, 0);

    await using next = await startGatewayProcess(place, 0);
    const again = await ask(next.url, "answered");
    assert.deepEqual([again.text, again.headers["idempotent-replayed"]], [first.text, "true"]);
    const anew = ask(next.url, "interrupted");
    await answer(3);
    const made = await anew;
    assert.deepEqual([made.status, made.headers["idempotent-replayed"]], [200, undefined]);
    assert.match(made.text, /Answer 3/);
    assert.equal((await ask(next.url, "interrupted")).text, made.text);
    assert.equal(calls.length, 3);
    const charged = await db.selectFrom("ledger_entries").select("basis").orderBy("at_ms").execute();
    assert.deepEqual(charged.map(({ basis }) => basis).toSorted(), ["reported", "reported", "worst-case"]);
  } finally {
    await db.destroy();
    rmSync(folder, { recursive: true, force: true });
  }
});
