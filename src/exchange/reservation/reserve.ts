/** Reserves what an attempt needs of all allowances on its path; with the caller's leave, for a shorter answer. */
import type { RequestView } from "../../dialects/dialect.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import type { Limits, RequestScope, Reservation } from "../../limits/limits.ts";
import type { Principal } from "../../tenancy/principal.ts";
import type { ChosenTarget } from "../attempt/choose.ts";
import type { Exchange } from "../exchange.ts";
import { affordableOutput } from "./clamp.ts";
import { estimateAttempt, toEstimate, type AttemptEstimate, type Holding } from "./estimate.ts";

export interface Reserved {
  readonly reservation: Reservation;
  /** What the journal holds for the attempt. */
  readonly held: Holding;
  /** The most it can grow to. */
  readonly worst: Holding;
}

const CLAMP_HEADER = "x-headgate-clamp";

/**
 * Leaves the reservation, and a lowered bound on output, in the exchange. Rejects with `budget_exhausted`,
 * `rate_limited`, `slots_exhausted`, `storage_unavailable`, and `invalid_header` for a clamp that is not `output`.
 */
export async function reserve(
  limits: Limits,
  exchange: Exchange,
  view: RequestView,
  principal: Principal,
  chosen: ChosenTarget,
): Promise<Reserved> {
  const { operation } = exchange.dialect;
  const sliceTokens = exchange.snapshot.config.budgets.outputSliceTokens;
  const mayClamp = readClamp(exchange.incoming.headers[CLAMP_HEADER]) && operation === "chat";
  const scope = requestScope(exchange, view, principal, chosen);
  const estimate = estimateAttempt(chosen, view, operation, sliceTokens, null);
  try {
    return await hold(limits, exchange, scope, estimate);
  } catch (refusal) {
    if (!mayClamp || !(refusal instanceof HeadgateError) || refusal.code !== "budget_exhausted") throw refusal;
    const verdicts = await limits.preview(scope, toEstimate(estimate));
    const bound = affordableOutput(verdicts, estimate.worst, chosen.price, view.choices);
    if (bound === null) throw refusal;
    exchange.outputBound = bound;
    return hold(limits, exchange, scope, estimateAttempt(chosen, view, operation, sliceTokens, bound));
  }
}

/** Which allowances are on the request's path. */
export function requestScope(
  exchange: Pick<Exchange, "dialect">,
  view: RequestView,
  principal: Pick<Principal, "payer">,
  chosen: Pick<ChosenTarget, "target">,
): RequestScope {
  return {
    payer: principal.payer,
    endUser: view.endUser,
    operation: exchange.dialect.operation,
    modelAsked: view.model,
    modelTarget: chosen.target.name,
  };
}

async function hold(
  limits: Limits,
  exchange: Exchange,
  scope: RequestScope,
  estimate: AttemptEstimate,
): Promise<Reserved> {
  const reserving = limits.reserve(scope, toEstimate(estimate));
  const reservation = reserving instanceof Promise ? await reserving : reserving;
  exchange.reservation = reservation;
  return { reservation, held: reservation.growing ? estimate.first : estimate.worst, worst: estimate.worst };
}

function readClamp(header: string | string[] | undefined): boolean {
  if (header === undefined) return false;
  if (header === "output") return true;
  throw new HeadgateError("invalid_header", `${CLAMP_HEADER} can only be \`output\`: leave it out, or correct it.`, {
    param: CLAMP_HEADER,
  });
}
