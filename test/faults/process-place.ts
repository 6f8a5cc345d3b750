/** A gateway in a process of its own, with a wide allowance of each meter, and its books when it is gone. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemRandomFill } from "../../src/kernel/ids.ts";
import { startSimulator, type Simulator } from "../../src/simulator/simulator.ts";
import { openStore, type Store } from "../../src/storage/storage.ts";
import { createFirstKey } from "../../src/tenancy/first-key.ts";
import { clock, ids } from "../contract/engines.ts";
import { startGatewayProcess, type Child } from "../soak/children.ts";
import { allowPlenty, ledgerOf, spentOf } from "../support/allowances.ts";
import { eventually } from "../support/eventually.ts";

export interface ProcessPlace extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly dataDir: string;
  readonly key: string;
  /** The next process of this store. */
  start(): Promise<Child>;
  /** Opens the store as the next process does, which settles what the last one left. */
  recover(): Promise<Store>;
}

/** `config`: besides the providers `simulator` and `simulator-anthropic`. */
export async function openProcessPlace(config: object): Promise<ProcessPlace> {
  await using opened = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "headgate-process-"));
  opened.defer(() => rmSync(folder, { recursive: true, force: true }));
  const simulator = opened.use(await startSimulator({ clock }));
  const dataDir = join(folder, "data");
  const configFile = join(folder, "headgate.yaml");
  const baseUrl = `${simulator.url}/v1`;
  const providers = { simulator: { baseUrl }, "simulator-anthropic": { baseUrl } };
  writeFileSync(
    configFile,
    JSON.stringify({ storage: { dataDir }, prices: { unknownModel: "allow" }, providers, ...config }),
  );
  const recover = (): Promise<Store> => openStore({ dataDir, durability: "process", clock, ids });
  let key: string;
  {
    await using store = await recover();
    const first = await createFirstKey({ db: store.db, clock, ids, randomFill: systemRandomFill });
    assert.ok(first !== null);
    key = first.plainKey;
    await allowPlenty({ store });
  }
  const place = { folder, configFile, env: { HEADGATE_LOG_LEVEL: "silent" } };
  const resources = opened.move();
  return {
    simulator,
    dataDir,
    key,
    start: () => startGatewayProcess(place, 0),
    recover,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Nothing is held, allowances say what the ledger says, and the ledger has all that the provider billed, once. */
export async function assertRecovered(store: Store, simulator: Simulator): Promise<void> {
  await eventually("the provider notices", () => simulator.stats().running === 0);
  assert.deepEqual(await store.db.selectFrom("holds").selectAll().execute(), []);
  const { money, tokens } = await spentOf({ store });
  assert.deepEqual({ money, tokens }, await ledgerOf({ store }));
  const entries = await store.db.selectFrom("ledger_entries").selectAll().execute();
  const charges = new Map(entries.map((entry) => [entry.attempt_id, entry]));
  assert.equal(charges.size, entries.length, "no call is charged twice");
  for (const { clientRequestId, costNanoUsd, ended } of simulator.invoice()) {
    const charge = charges.get(String(clientRequestId));
    assert.ok(charge, `a call that was billed (${ended}) is in the ledger`);
    if (charge.basis === "reported") assert.equal(charge.cost_nano_usd, costNanoUsd);
    if (charge.basis === "worst-case") assert.ok(charge.cost_nano_usd >= costNanoUsd);
  }
}
