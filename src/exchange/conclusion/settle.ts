import { servedVersion } from "../../accounting/prices/version.ts";
import { settle } from "../../accounting/settlement.ts";
import { totalInputTokens, totalOutputTokens } from "../../kernel/usage.ts";
import type { Demand } from "../../limits/limits.ts";
import type { LedgerEntry } from "../../storage/records.ts";
import type { OpenAttempt } from "../exchange.ts";

const MODEL_CHARS_MAX = 300;
const ID_CHARS_MAX = 200;

/** `provider/model` that served: the one that was called, unless the answer names another that may. */
export function modelServed({ hold, attempt, mayServe }: OpenAttempt): string {
  if (mayServe === null) return hold.modelTarget;
  const { model } = attempt.reading;
  if (model === null || !mayServe.served(model).isOther) return hold.modelTarget;
  return `${hold.provider}/${model.slice(0, MODEL_CHARS_MAX)}`;
}

/** The one ledger entry of an attempt that has ended. */
export function settleAttempt(
  { hold, attempt, endpoint, price: asked, mayServe }: OpenAttempt,
  atMs: number,
): LedgerEntry {
  const { reading } = attempt;
  const { price, isOther } = mayServe?.served(reading.model) ?? { price: asked, isOther: false };
  const settlement = settle(
    {
      sent: attempt.sentAtMs !== null,
      refused: attempt.refused,
      refusedByServer: attempt.refusedByServer,
      answered: attempt.answered,
      stopped: attempt.stopped,
      complete: attempt.state === "complete",
      drained: attempt.drained,
      reading,
      outputEvents: attempt.outputEvents,
      body: attempt.call.request.body ?? null,
      billsCancelledInput: endpoint.spec.billsCancelledInput,
    },
    price,
  );
  return {
    entryId: hold.attemptId,
    kind: "charge",
    attemptId: hold.attemptId,
    requestId: hold.requestId,
    atMs,
    payer: hold.payer,
    endUser: hold.endUser,
    operation: hold.operation,
    provider: hold.provider,
    credential: hold.credential,
    modelAsked: hold.modelAsked,
    modelTarget: hold.modelTarget,
    modelServed:
      reading.model === null ? hold.modelTarget : `${hold.provider}/${reading.model.slice(0, MODEL_CHARS_MAX)}`,
    providerRequestId: reading.id?.slice(0, ID_CHARS_MAX) ?? null,
    usage: settlement.usage,
    costNanoUsd: settlement.cost,
    priceVersion:
      isOther && settlement.priceVersion !== null ? servedVersion(settlement.priceVersion) : settlement.priceVersion,
    basis: settlement.basis,
    flags: settlement.flags,
  };
}

/** What a call takes from allowances; `null`: no provider saw it, so it does not count as a request either. */
export function demandOf(open: OpenAttempt | null, entry: LedgerEntry | null): Demand | null {
  if (open === null || entry === null || open.attempt.sentAtMs === null) return null;
  const { costNanoUsd, usage } = entry;
  return { costNanoUsd, tokens: totalInputTokens(usage) + totalOutputTokens(usage) };
}
