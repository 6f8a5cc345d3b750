/** The gateway's ledger against the simulator's invoice: two programs that counted and priced the same calls apart. */
import assert from "node:assert/strict";
import { loadPriceCatalogue } from "../../src/accounting/prices/catalogue.ts";
import { reconcile } from "../../src/exchange/reconciliation.ts";
import { createSnapshot } from "../../src/exchange/snapshot.ts";
import type { Gateway } from "../../src/gateway.ts";
import { createSystemClock } from "../../src/kernel/clock.ts";
import type { InvoiceLine } from "../../src/simulator/invoice.ts";
import { createUndiciTransport } from "../../src/providers/undici-transport.ts";
import type { LedgerEntry } from "../../src/storage/records.ts";
import { toLedgerEntry } from "../../src/storage/rows.ts";
import type { TestGateway } from "../support/gateway.ts";
import { usageOfLine } from "../support/invoice-usage.ts";
import { eventually } from "../support/eventually.ts";

/**
 * Every call that finished was charged as it was billed, bucket by bucket, and so was every other call once the
 * gateway has asked the provider about it. The gateway's attempt id is the simulator's `x-client-request-id`.
 */
export async function compareBooks({ gateway, simulator }: TestGateway): Promise<void> {
  await eventually("every call at the simulator is over", () => simulator.stats().running === 0);
  const bills = new Map(simulator.invoice().map((line) => [line.clientRequestId ?? "", line]));
  const { db } = gateway.store;
  const readEntries = async (): Promise<LedgerEntry[]> =>
    (await db.selectFrom("ledger_entries").selectAll().execute()).map(toLedgerEntry);

  const charges = await readEntries();
  assert.ok(charges.length > 0, "there are no books to compare");
  for (const charge of charges.filter(({ basis }) => basis === "reported")) {
    const bill = bills.get(charge.attemptId);
    assert.ok(bill !== undefined, `${charge.modelAsked} was charged but not billed`);
    assert.deepEqual(charged(charge), billed(bill), charge.modelAsked);
  }
  const known = new Set(charges.map(({ attemptId }) => attemptId));
  assert.deepEqual(
    [...bills.values()].filter(({ clientRequestId }) => !known.has(clientRequestId ?? "")),
    [],
  );

  await askProviders(gateway);
  const sums = new Map<string, bigint>();
  for (const { attemptId, costNanoUsd } of await readEntries())
    sums.set(attemptId, (sums.get(attemptId) ?? 0n) + costNanoUsd);
  const due = charges.map(({ attemptId }) => [attemptId, bills.get(attemptId)?.costNanoUsd ?? 0n] as const);
  assert.deepEqual(sums, new Map(due));
}

/** What the gateway does every minute, now; and a call that the simulator does not know is one that was not billed. */
async function askProviders({ config, store }: Gateway): Promise<void> {
  await using transport = createUndiciTransport({ connectTimeoutMs: 1_000, connectionsMax: 32 });
  await reconcile(
    {
      clock: createSystemClock(),
      transport,
      db: store.db,
      lookupFailed: (provider, reason) => assert.fail(`${provider} cannot be asked: ${String(reason)}`),
    },
    createSnapshot(config, { catalogue: loadPriceCatalogue(), random: () => 0, userAgent: "headgate-test" }),
    { absentAfterMs: 0 },
    new AbortController().signal,
  );
}

function charged({ usage, costNanoUsd }: LedgerEntry): object {
  return { ...usage, costNanoUsd };
}

function billed(line: InvoiceLine): object {
  return { ...usageOfLine(line), costNanoUsd: line.costNanoUsd };
}
