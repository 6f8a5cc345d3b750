/** What an attempt was charged, against what is expected and what the provider's invoice says. */
import assert from "node:assert/strict";
import type { Simulator } from "../../src/simulator/simulator.ts";
import { eventually } from "../support/eventually.ts";
import type { LedgerRow } from "../support/evidence.ts";
import type { Charged } from "./outcome.ts";

/** In nano-dollars; a line that is due may come after the answer. */
export async function invoicedFor(
  simulator: Simulator,
  entry: LedgerRow | undefined,
  charged: Charged,
): Promise<bigint> {
  const find = () => simulator.invoice().find(({ clientRequestId }) => clientRequestId === entry?.attempt_id);
  const isDue = charged === "reported" || charged === "drained";
  const line = isDue ? await eventually(`a line of the invoice for ${entry?.attempt_id}`, find) : find();
  return line?.costNanoUsd ?? 0n;
}

/** What an attempt was charged, beside what the provider's invoice says of it. */
export function assertCharge(entry: LedgerRow | undefined, invoiced: bigint, charged: Charged): void {
  if (charged === "nothing" || charged === "nothing yet") {
    const basis = charged === "nothing" ? "none" : "metered";
    assert.deepEqual([entry?.cost_nano_usd ?? 0n, entry?.basis ?? "none"], [0n, basis]);
    if (charged === "nothing") assert.equal(invoiced, 0n, "the provider bills nothing either");
    return;
  }
  assert.ok(entry, "a charge in the ledger");
  const isReported = charged === "reported" || charged === "drained";
  assert.equal(entry.estimated, isReported ? 0 : 1);
  assert.equal(entry.basis, isReported ? charged : charged === "worst case" ? "worst-case" : "metered");
  if (isReported) assert.equal(entry.cost_nano_usd, invoiced, "what the provider's invoice says");
  else assert.ok(entry.cost_nano_usd > 0n && entry.input_tokens > 0, "an estimate is never nothing");
  if (charged === "estimate") assert.ok(entry.output_tokens > 0, "output was delivered, and is counted");
  // A Messages stream begins by reporting one token of output.
  if (charged === "input estimate") assert.ok(entry.output_tokens + entry.reasoning_tokens <= 1);
  if (charged === "worst case") assert.ok(entry.cost_nano_usd >= invoiced, "no less than the provider's invoice says");
}
