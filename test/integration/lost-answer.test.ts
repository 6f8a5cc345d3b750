import assert from "node:assert/strict";
import { test } from "node:test";
import { loadPriceCatalogue } from "../../src/accounting/prices/catalogue.ts";
import { reconcile } from "../../src/exchange/reconciliation.ts";
import { createSnapshot } from "../../src/exchange/snapshot.ts";
import { createSystemClock } from "../../src/kernel/clock.ts";
import type { Transport } from "../../src/providers/transport.ts";
import { createUndiciTransport } from "../../src/providers/undici-transport.ts";
import { toLedgerEntry } from "../../src/storage/rows.ts";
import { startTestGateway } from "../support/gateway.ts";
import { send } from "../support/simulator-client.ts";

/** Calls arrive and are worked on; then the connection breaks before the first byte of the answer is here. */
function createLosingTransport(carrier: Transport): Transport {
  return {
    send(request, handler) {
      return carrier.send(request, {
        onSent: () => handler.onSent(),
        onHeaders: () => handler.onError(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" })),
        onData: () => undefined,
        onEnd: () => undefined,
        onError: (error) => handler.onError(error),
      });
    },
    [Symbol.asyncDispose]: () => carrier[Symbol.asyncDispose](),
  };
}

test("an answer that was billed and lost on the way costs nothing at first and what the provider says afterwards", async () => {
  await using carrier = createUndiciTransport({ connectTimeoutMs: 1_000, connectionsMax: 4 });
  await using place = await startTestGateway({
    config: { retries: { attemptsMax: 1 } },
    overrides: { transport: createLosingTransport(carrier) },
  });
  const reply = await send(`${place.url}/v1/chat/completions`, {
    headers: { authorization: `Bearer ${place.key}`, "content-type": "application/json" },
    body: { model: "simulator/sim-mini:tokens=7", messages: [{ role: "user", content: "Hello" }] },
  });
  assert.equal(reply.status, 502);
  const { db } = place.gateway.store;
  const ledger = async (): Promise<readonly (readonly [string, string, bigint])[]> => {
    const rows = await db.selectFrom("ledger_entries").selectAll().orderBy("entry_id").execute();
    return rows.map(toLedgerEntry).map((entry) => [entry.kind, entry.basis, entry.costNanoUsd] as const);
  };
  assert.deepEqual(await ledger(), [["charge", "metered", 0n]]);

  const snapshot = createSnapshot(place.gateway.config, {
    catalogue: loadPriceCatalogue(),
    random: () => 0,
    userAgent: "headgate/test",
  });
  const lookupFailed = (provider: string, reason: unknown): void => assert.fail(`${provider}: ${String(reason)}`);
  const deps = { clock: createSystemClock(), transport: carrier, db, lookupFailed };
  await reconcile(deps, snapshot, {}, new AbortController().signal);

  const [line] = place.simulator.invoice();
  assert.ok(line !== undefined && line.costNanoUsd > 0n);
  assert.deepEqual(await ledger(), [
    ["charge", "metered", 0n],
    ["correction", "reported", line.costNanoUsd],
  ]);
});
