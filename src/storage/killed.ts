/** What becomes of the requests of a process that died: each attempt that it held is charged as it was held. Pure. */
import { assert } from "../kernel/assert.ts";
import { addUsd, zeroUsd } from "../kernel/money.ts";
import { addUsage, emptyUsage } from "../kernel/usage.ts";
import type { Closing } from "./closings.ts";
import type { Hold, LedgerEntry, RequestRecord } from "./records.ts";

/** `holds`: all of each request, in the order of their attempts. One closing for each request. */
export function closeKilled(holds: readonly Hold[], nowMs: number): readonly Closing[] {
  return [...Map.groupBy(holds, (hold) => hold.requestId).values()].map((ofRequest) => ({
    record: killedRecord(ofRequest),
    entries: ofRequest.map((hold) => worstCharge(hold, nowMs)),
    moves: ofRequest.flatMap(({ heldAmounts }) =>
      heldAmounts.map(({ ownerId, accountId, amount }) => ({ ownerId, accountId, fromGrant: amount, overdraft: 0n })),
    ),
  }));
}

function worstCharge(hold: Hold, nowMs: number): LedgerEntry {
  return {
    entryId: hold.attemptId,
    kind: "charge",
    attemptId: hold.attemptId,
    requestId: hold.requestId,
    atMs: nowMs,
    payer: hold.payer,
    endUser: hold.endUser,
    operation: hold.operation,
    provider: hold.provider,
    credential: hold.credential,
    modelAsked: hold.modelAsked,
    modelTarget: hold.modelTarget,
    modelServed: hold.modelTarget,
    providerRequestId: null,
    usage: hold.heldUsage,
    costNanoUsd: hold.heldCostNanoUsd,
    priceVersion: hold.priceVersion,
    basis: "worst-case",
    flags: isPriced(hold) ? ["estimated", "recovered"] : ["unpriced", "estimated", "recovered"],
  };
}

/** The version of a stand-in for a price that nobody knows begins so. */
const standInMark = "hold:";

function isPriced({ priceVersion }: Hold): boolean {
  return priceVersion !== null && !priceVersion.startsWith(standInMark);
}

/** What only the dead process knew stays empty: method, path, status, sizes and timings. */
function killedRecord(holds: readonly Hold[]): RequestRecord {
  const [first] = holds;
  assert(first !== undefined, "a killed request held something");
  const last = holds.at(-1) ?? first;
  const usage = emptyUsage();
  let costNanoUsd = zeroUsd;
  for (const hold of holds) {
    addUsage(usage, hold.heldUsage);
    costNanoUsd = addUsd(costNanoUsd, hold.heldCostNanoUsd);
  }
  return {
    requestId: first.requestId,
    startedAtMs: first.startedAtMs,
    payer: first.payer,
    endUser: first.endUser,
    operation: first.operation,
    method: "",
    path: "",
    dialectIn: null,
    dialectOut: null,
    stream: false,
    modelAsked: first.modelAsked,
    modelServed: last.modelTarget,
    provider: last.provider,
    status: 0,
    ending: "killed",
    finishReason: null,
    errorCode: null,
    attempts: holds.length,
    trail: [],
    deadlineUs: null,
    losses: [],
    invalidEvents: 0,
    reuse: null,
    savedNanoUsd: zeroUsd,
    usage,
    costNanoUsd,
    basis: "worst-case",
    bytesIn: 0,
    bytesOut: 0,
    queueUs: null,
    connectUs: null,
    firstTokenUs: null,
    totalUs: 0,
    outputTokensPerSecond: null,
    userAgent: null,
  };
}
