/** Reserves what an attempt needs of all allowances on its path; with the caller's leave, for a shorter answer. */
import type { RequestView } from "../../dialects/dialect.ts";
import { HeadgateError } from "../../kernel/errors.ts";
import type { Limits, RequestScope, Reservation } from "../../limits/limits.ts";
import type { Principal } from "../../tenancy/principal.ts";
import { holdPrice, type ChosenTarget } from "../attempt/choose.ts";
import type { Exchange } from "../exchange.ts";
import { assertLimitable } from "../serving/limitable.ts";
import { affordableOutput } from "./clamp.ts";
import { demandOf, estimateAttempt, toEstimate, type AttemptEstimate, type Holding } from "./estimate.ts";

export interface Reserved {
  readonly reservation: Reservation;
  /** What the journal holds for the attempt. */
  readonly held: Holding;
  /** What it can grow to. */
  readonly whole: Holding;
}

/** Whose reservation it is: it settles it. */
export interface ReservationKeeper {
  /** The request goes on without it, or was refused by an allowance already: it is not counted as refused once more. */
  readonly isUncounted: boolean;
  reservation: Reservation | null;
  /** The most output tokens of an answer, where the caller allowed the gateway to lower its bound and it did. */
  outputBound: number | null;
}

const CLAMP_HEADER = "x-headgate-clamp";

/**
 * At once where everything is in hand, else a promise. Leaves the reservation, and a lowered bound on output, in `keeper`.
 * Throws and rejects with `budget_exhausted`, `rate_limited`, `slots_exhausted`, `storage_unavailable`, `unpriced_model`
 * where a budget of money could not limit the call, and `invalid_header` for a clamp that is not `output`.
 */
export function reserve(
  limits: Limits,
  exchange: Exchange,
  view: RequestView,
  principal: Principal,
  chosen: ChosenTarget,
  keeper: ReservationKeeper,
): Reserved | Promise<Reserved> {
  const { operation } = exchange.dialect;
  const { outputSliceTokens } = exchange.snapshot.config.budgets;
  const scope = requestScope(exchange, view, principal, chosen);
  assertLimitable(limits, scope, chosen, exchange.snapshot.config.prices.unknownModel);
  const estimate = estimateAttempt(chosen, view, operation, outputSliceTokens, null);
  const clamps = readClamp(exchange.incoming.headers[CLAMP_HEADER]) && operation === "chat";
  return clamps
    ? reserveClamped(limits, exchange, view, scope, chosen, estimate, keeper)
    : hold(limits, exchange, scope, estimate, keeper);
}

/** Looks first whether the whole answer can be paid for: a stream, too, is rather short than cut. */
async function reserveClamped(
  limits: Limits,
  exchange: Exchange,
  view: RequestView,
  scope: RequestScope,
  chosen: ChosenTarget,
  estimate: AttemptEstimate,
  keeper: ReservationKeeper,
): Promise<Reserved> {
  const { whole, worst } = estimate;
  const verdicts = await limits.preview(scope, { expected: demandOf(whole), worst: demandOf(worst) });
  const refusing = verdicts.filter(({ admitted, allowance }) => !admitted && allowance.mode === "enforce");
  const bound = refusing.length === 0 ? null : affordableOutput(refusing, estimate, holdPrice(chosen), view);
  if (bound === null || bound < (view.leastOutputTokens ?? 0)) return hold(limits, exchange, scope, estimate, keeper);
  keeper.outputBound = bound;
  const { outputSliceTokens } = exchange.snapshot.config.budgets;
  const clamped = estimateAttempt(chosen, view, exchange.dialect.operation, outputSliceTokens, bound);
  return hold(limits, exchange, scope, clamped, keeper);
}

/** Which allowances are on the request's path. */
export function requestScope(
  exchange: Pick<Exchange, "dialect">,
  view: RequestView,
  principal: Pick<Principal, "payer">,
  { target, mayServe }: Pick<ChosenTarget, "target" | "mayServe">,
): RequestScope {
  const scope = {
    payer: principal.payer,
    endUser: view.endUser,
    operation: exchange.dialect.operation,
    modelAsked: view.model,
    modelTarget: target.name,
  };
  return mayServe === null ? scope : { ...scope, otherTargets: mayServe.targets };
}

function hold(
  limits: Limits,
  exchange: Exchange,
  scope: RequestScope,
  estimate: AttemptEstimate,
  keeper: ReservationKeeper,
): Reserved | Promise<Reserved> {
  const keep = (reservation: Reservation): Reserved => {
    keeper.reservation = reservation;
    return { reservation, held: heldOf(estimate, reservation), whole: estimate.whole };
  };
  const refuse = (refusal: unknown): never => {
    exchange.refusedRates = limits.rates(scope);
    throw refusal;
  };
  try {
    const reserving = limits.reserve(scope, toEstimate(estimate), earlierOf(exchange, keeper), keeper.isUncounted);
    return reserving instanceof Promise ? reserving.then(keep, refuse) : keep(reserving);
  } catch (refusal) {
    return refuse(refusal);
  }
}

/** Where nothing is limited by it, nobody is charged the worst case because a process died. */
function heldOf({ first, whole, worst }: AttemptEstimate, { growing, strict }: Reservation): Holding {
  if (growing) return first;
  return strict ? worst : whole;
}

/** Those of the request's calls before this one. */
function earlierOf({ legs }: Exchange, keeper: ReservationKeeper): readonly Reservation[] {
  if (legs.length < 2) return none;
  return legs.flatMap(({ reservation }) =>
    reservation !== null && reservation !== keeper.reservation ? [reservation] : [],
  );
}

const none: readonly Reservation[] = [];

function readClamp(header: string | string[] | undefined): boolean {
  if (header === undefined) return false;
  if (header === "output") return true;
  throw new HeadgateError("invalid_header", `${CLAMP_HEADER} can only be \`output\`: leave it out, or correct it.`, {
    param: CLAMP_HEADER,
  });
}
