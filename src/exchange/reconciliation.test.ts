import assert from "node:assert/strict";
import { test } from "node:test";
import { engines } from "../../test/contract/engines.ts";
import { sampleEntry, sampleRecord } from "../../test/contract/samples.ts";
import { createVirtualClock } from "../../test/support/virtual-clock.ts";
import type { ReconcileReport } from "../accounting/reconcile.ts";
import type { Endpoint } from "../providers/endpoint.ts";
import type { UsageLookup } from "../providers/provider.ts";
import { listUnconfirmedProviders } from "../storage/reports/reconciliation.ts";
import { endAsking } from "./reconciliation.ts";

const hourMs = 3_600_000;

function endpoint(name: string, usageLookup: Partial<UsageLookup> | null): [string, Endpoint] {
  return [name, { name, spec: { usageLookup } } as Endpoint];
}

function report(failed: number): ReconcileReport {
  return { corrected: 0, pending: 1, unknown: 1, overtaken: 0, failed };
}

test("the asking ends at once where nobody can be asked, after a day where the provider answers, after a week elsewhere", async () => {
  const clock = createVirtualClock();
  await using place = await engines[0]!.createPlace();
  await using store = await place.openStore();
  const providers = ["answers", "cannot-be-asked", "down", "not-configured"];
  const entries = providers.map((provider) =>
    sampleEntry("req_1", `att_${provider}`, { provider, basis: "metered", atMs: clock.wallMs() }),
  );
  await store.journal.close(sampleRecord("req_1"), entries);
  const endpoints = new Map([endpoint("answers", {}), endpoint("cannot-be-asked", null), endpoint("down", {})]);
  const reports = new Map([
    ["answers", report(0)],
    ["down", report(1)],
  ]);
  const leftAfter = async (hours: number): Promise<readonly string[]> => {
    clock.advance(hours * hourMs);
    await endAsking({ clock, db: store.db }, { endpoints }, reports);
    return listUnconfirmedProviders(store.db);
  };
  assert.deepEqual(await leftAfter(23), ["answers", "down", "not-configured"]);
  assert.deepEqual(await leftAfter(2), ["down", "not-configured"]);
  assert.deepEqual(await leftAfter(6 * 24 - 2), ["down", "not-configured"]);
  assert.deepEqual(await leftAfter(2), []);
});
