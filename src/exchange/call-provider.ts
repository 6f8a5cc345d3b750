/**
 * The part of an exchange that costs money: plan, wait for the target's turn, reserve, commit the hold, call. What is
 * reserved is settled by `conclude`, however far it came.
 */
import type { RequestView } from "../dialects/dialect.ts";
import { HeadgateError } from "../kernel/errors.ts";
import { totalInputTokens, totalOutputTokens } from "../kernel/usage.ts";
import type { Principal } from "../tenancy/principal.ts";
import { Attempt, type AttemptSink } from "./attempt/attempt.ts";
import { chooseTarget, type ChosenTarget } from "./attempt/choose.ts";
import { prepareAttempt } from "./attempt/prepare.ts";
import { openStreamHead } from "./conclusion/response-headers.ts";
import { readDeadline, type CallerDeadline } from "./deadline.ts";
import { callerGone, type Exchange, type OpenAttempt } from "./exchange.ts";
import { planRequest } from "./plan-request.ts";
import { enterQueue } from "./reservation/enter-queue.ts";
import { Growth } from "./reservation/growth.ts";
import { reserve, type Reserved } from "./reservation/reserve.ts";
import type { ExchangeDeps } from "./run.ts";

/** Leaves the attempt's failure, if any, in the exchange. Throws what keeps it from being made. */
export async function callProvider(deps: ExchangeDeps, exchange: Exchange, principal: Principal): Promise<void> {
  const { view } = exchange;
  if (view === null) return;
  const target = planRequest(exchange, view, principal);
  const deadline = readDeadline(exchange.incoming.headers, exchange.startedMs, view.stream);
  refusePassed(deps, deadline);
  const chosen = chooseTarget(exchange, view, target);
  try {
    await takeTurn(deps, exchange, view, principal, chosen, deadline);
    let reserved = reserve(deps.limits, exchange, view, principal, chosen);
    if (reserved instanceof Promise) {
      // Nobody waits for a target behind a request that waits for its budget.
      const bounded = exchange.pass !== null;
      exchange.pass?.leave(0);
      reserved = await reserved;
      if (bounded) await takeTurn(deps, exchange, view, principal, chosen, deadline);
    }
    if (exchange.cancelCause !== null) return;
    refusePassed(deps, deadline);
    await callTarget(deps, exchange, view, principal, chosen, deadline, reserved);
  } finally {
    exchange.pass?.leave(tokensUsed(exchange.lastAttempt));
  }
}

/** Waits in front of a bounded target. */
async function takeTurn(
  deps: ExchangeDeps,
  exchange: Exchange,
  view: RequestView,
  principal: Principal,
  chosen: ChosenTarget,
  deadline: CallerDeadline,
): Promise<void> {
  const waiting = enterQueue(deps.queues, exchange, view, principal, chosen, deadline);
  if (waiting === null) return;
  if (exchange.cancelCause !== null) exchange.pass?.cancel(callerGone());
  await waiting;
}

function refusePassed(deps: ExchangeDeps, deadline: CallerDeadline): void {
  if (isPassed(deps, deadline)) throw passed();
}

function isPassed({ clock }: ExchangeDeps, { totalDueMs, firstOutputDueMs }: CallerDeadline): boolean {
  return clock.monotonicMs() >= Math.min(totalDueMs, firstOutputDueMs);
}

function passed(): HeadgateError {
  const message = "The deadline that the request gave passed before a provider could be called.";
  return new HeadgateError("deadline_exceeded", message);
}

async function callTarget(
  deps: ExchangeDeps,
  exchange: Exchange,
  view: RequestView,
  principal: Principal,
  chosen: ChosenTarget,
  deadline: CallerDeadline,
  reserved: Reserved,
): Promise<void> {
  exchange.admittedMs = deps.clock.monotonicMs();
  const { call, hold } = prepareAttempt(deps, exchange, view, principal, {
    chosen,
    deadline,
    held: reserved.held,
    heldAmounts: reserved.reservation.heldAmounts,
    outputBound: exchange.outputBound,
  });
  const attempt = new Attempt(deps, call, new ExchangeSink(exchange));
  await deps.journal.open(hold);
  const open: OpenAttempt = { hold, attempt, endpoint: chosen.endpoint, price: chosen.price };
  exchange.attempts.push(open);
  const growth = growWith(deps, exchange, view, open, reserved);
  if (exchange.cancelCause === null && !isPassed(deps, deadline)) attempt.start();
  else attempt.cancel(0);
  await attempt.done;
  growth?.stop();
  if (attempt.failure !== null) exchange.failure = attempt.failure;
  else if (attempt.startedAtMs === null && exchange.cancelCause === null) throw passed();
}

function growWith(
  deps: ExchangeDeps,
  exchange: Exchange,
  view: RequestView,
  { attempt, hold, price }: OpenAttempt,
  { reservation, held, worst }: Reserved,
): Growth | null {
  if (!view.stream || !reservation.growing || held === worst) return null;
  const growth = new Growth({
    reservation,
    hold,
    price,
    worst,
    sliceTokens: exchange.snapshot.config.budgets.outputSliceTokens,
    extended(extension) {
      deps.journal
        .extend(extension)
        .catch((thrown: unknown) => deps.telemetry.backgroundFailed("extending a hold", thrown));
    },
    stream: attempt,
  });
  attempt.growth = growth;
  return growth;
}

/** What the queue charges to the tenant; `undefined` where the provider did not say: then the estimate stands. */
function tokensUsed(open: OpenAttempt | null): number | undefined {
  if (open === null || open.attempt.refused) return 0;
  const { usage } = open.attempt.reading;
  return usage === null ? undefined : totalInputTokens(usage) + totalOutputTokens(usage);
}

/** Hands a stream's bytes to the caller; the head leaves with the first output. */
class ExchangeSink implements AttemptSink {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  attemptCommitted(): void {
    openStreamHead(this.#exchange);
  }

  attemptWrite(bytes: Uint8Array): boolean {
    return this.#exchange.responder.write(bytes);
  }

  unreadBytes(): number {
    return this.#exchange.responder.unreadBytes;
  }
}
