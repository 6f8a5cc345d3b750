/**
 * A disk that takes no more: the gateway's process may not write files beyond a size (`ulimit -f`), which ends for it as
 * a full disk does, in the middle of its work.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { systemRandomFill } from "../../src/kernel/ids.ts";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { openDatabase, openStore } from "../../src/storage/storage.ts";
import { createFirstKey } from "../../src/tenancy/first-key.ts";
import { clock, ids } from "../contract/engines.ts";
import { send, type Reply } from "../support/simulator-client.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
/** Of 512 bytes. */
const FILE_BLOCKS_MAX = 4096;
/** Far more than fit. */
const REQUESTS_MAX = 2_000;
const REFUSALS_ENOUGH = 10;
const AT_A_TIME = 8;
/** What writes beyond the size get is an error, not the end of the process: https://man7.org/linux/man-pages/man2/setrlimit.2.html */
const surviving = "data:text/javascript,process.on('SIGXFSZ',()=>{})";

interface Serving extends AsyncDisposable {
  readonly url: string;
  stop(): Promise<number | null>;
}

async function serveOnSmallDisk(configFile: string, folder: string): Promise<Serving> {
  const node = [
    process.execPath,
    "--import",
    surviving,
    main,
    "serve",
    "--config",
    configFile,
    "--port",
    "0",
    "--json",
  ];
  const child = spawn("sh", ["-c", `ulimit -S -f ${FILE_BLOCKS_MAX}; exec "$@"`, "sh", ...node], {
    cwd: folder,
    env: { ...process.env, HEADGATE_LOG_LEVEL: "silent" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit") as Promise<[number | null]>;
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return {
    url: (JSON.parse(line) as { readonly url: string }).url,
    async stop() {
      child.kill("SIGTERM");
      const [code] = await exited;
      return code;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Asks until the disk has been full for a while. */
async function fillDisk(url: string, key: string): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  let refused = 0;
  const caller = async (): Promise<void> => {
    while (refused < REFUSALS_ENOUGH && replies.length < REQUESTS_MAX) {
      const reply = await send(`${url}/v1/chat/completions`, {
        headers: { authorization: `Bearer ${key}` },
        body: { model: "simulator/sim-mini:tokens=5", messages: [{ role: "user", content: "Hi" }] },
      });
      replies.push(reply);
      if (reply.status !== 200) refused++;
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, caller));
  return replies;
}

test("a disk that is full refuses requests with 503, ends no process, and loses nothing that was answered", async () => {
  const folder = mkdtempSync(join(tmpdir(), "headgate-full-"));
  try {
    await using simulator = await startSimulator({ clock });
    const dataDir = join(folder, "data");
    const configFile = join(folder, "headgate.yaml");
    const providers = { simulator: { kind: "simulator", baseUrl: `${simulator.url}/v1` } };
    writeFileSync(configFile, JSON.stringify({ storage: { dataDir }, providers }));
    const db = openDatabase({ dataDir, durability: "process" });
    const key = (await createFirstKey({ db, clock, ids, randomFill: systemRandomFill }))?.plainKey ?? "";
    await db.destroy();

    await using serving = await serveOnSmallDisk(configFile, folder);
    const replies = await fillDisk(serving.url, key);
    const refusals = replies.filter(({ status }) => status !== 200);
    assert.ok(refusals.length >= REFUSALS_ENOUGH, `${replies.length} requests fitted`);
    for (const { status, text } of refusals) {
      assert.deepEqual([status, JSON.parse(text).error.code], [503, "storage_unavailable"]);
    }
    assert.equal((await send(`${serving.url}/healthz`)).status, 200);
    assert.equal(await serving.stop(), 0);

    await using store = await openStore({ dataDir, durability: "process", clock, ids });
    assert.deepEqual(await store.db.selectFrom("holds").selectAll().execute(), []);
    const entries = await store.db.selectFrom("ledger_entries").selectAll().execute();
    const charges = new Map(entries.map((entry) => [entry.attempt_id, entry]));
    for (const { clientRequestId, costNanoUsd } of simulator.invoice()) {
      const charge = charges.get(String(clientRequestId));
      assert.ok(charge, "whatever the provider billed is in the ledger");
      if (charge.basis === "reported") assert.equal(charge.cost_nano_usd, costNanoUsd);
      else assert.ok(charge.cost_nano_usd >= costNanoUsd, `${charge.basis}: ${charge.cost_nano_usd}`);
    }
    const answered = replies.filter(({ status }) => status === 200);
    const reported = entries.filter(({ basis }) => basis === "reported");
    assert.ok(reported.length >= answered.length, "whoever was answered was charged what the provider reported");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
