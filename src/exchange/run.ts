/**
 * Runs one exchange from its head to its record:
 *
 *   authenticate → admit → read body → view → plan → hold (committed) → attempt → conclude
 *
 * Whatever fails on the way becomes the exchange's `failure`; `conclude` settles, records and answers in every case,
 * exactly once. A caller who leaves cancels the attempt through `exchange.cancel`, and the same path goes on.
 */
import type { Clock } from "../kernel/clock.ts";
import { HeadgateError, toHeadgateError } from "../kernel/errors.ts";
import type { IdSource } from "../kernel/ids.ts";
import { parseJsonDocument } from "../kernel/json-document.ts";
import type { Transport } from "../providers/transport.ts";
import { isModelAllowed } from "../routing/allow-list.ts";
import type { Journal } from "../storage/records.ts";
import type { Authenticator, Principal } from "../tenancy/principal.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Admission } from "./admission.ts";
import { Attempt, type AttemptSink } from "./attempt/attempt.ts";
import { conclude } from "./conclusion/conclude.ts";
import { readDeadline } from "./deadline.ts";
import type { Exchange } from "./exchange.ts";
import { openStreamHead } from "./conclusion/response-headers.ts";
import { prepareAttempt } from "./attempt/prepare.ts";
import { presentedKey } from "./presented-key.ts";

export interface ExchangeDeps {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly journal: Journal;
  readonly authenticator: Authenticator;
  readonly transport: Transport;
  readonly admission: Admission;
  readonly telemetry: Telemetry;
}

/** Serves one inference request. Rejects, like the other two, only if a bug keeps the answer from being handed over. */
export function runExchange(deps: ExchangeDeps, exchange: Exchange): Promise<void> {
  return guard(deps, exchange, async (principal) => {
    await readRequest(deps, exchange);
    await callProvider(deps, exchange, principal);
  });
}

/** Serves a request that the gateway answers by itself, with the same authentication, limits and record. */
export function runLocal(
  deps: ExchangeDeps,
  exchange: Exchange,
  respond: (principal: Principal) => unknown,
): Promise<void> {
  return guard(deps, exchange, async (principal) => {
    exchange.answer = { status: 200, body: Buffer.from(JSON.stringify(respond(principal))) };
  });
}

/** Refuses a request that no handler takes, with a record. */
export async function refuse(deps: ExchangeDeps, exchange: Exchange, failure: HeadgateError): Promise<void> {
  exchange.failure = failure;
  await conclude(deps, exchange);
}

async function guard(
  deps: ExchangeDeps,
  exchange: Exchange,
  serve: (principal: Principal) => Promise<void>,
): Promise<void> {
  let admitted = false;
  try {
    exchange.principal = deps.authenticator.authenticate(presentedKey(exchange.incoming.headers));
    deps.admission.enter(exchange.snapshot.config.limits.concurrentRequests);
    admitted = true;
    await serve(exchange.principal);
  } catch (thrown) {
    exchange.failure = toHeadgateError(thrown);
  }
  try {
    await conclude(deps, exchange);
  } finally {
    if (admitted) deps.admission.leave();
  }
}

async function readRequest(deps: ExchangeDeps, exchange: Exchange): Promise<void> {
  const inbound = exchange.dialect.inbound;
  if (inbound === undefined)
    throw new HeadgateError("internal", `Dialect ${exchange.dialect.name} is not spoken with callers.`);
  const bytes = await exchange.incoming.readBody();
  exchange.bytesIn = bytes.byteLength;
  const document = parseJsonDocument(bytes, { depth: exchange.snapshot.config.limits.jsonDepth });
  exchange.view = inbound.view(document);
  exchange.admittedMs = deps.clock.monotonicMs();
}

async function callProvider(deps: ExchangeDeps, exchange: Exchange, principal: Principal): Promise<void> {
  const { view, snapshot, dialect } = exchange;
  if (view === null) return;
  const plan = snapshot.router.plan({
    model: view.model,
    operation: dialect.operation,
    dialectIn: dialect.name,
    needs: view.needs,
    modelAllowList: principal.modelAllowList,
  });
  const [target] = plan.targets;
  if (target === undefined) throw new HeadgateError("internal", "The router made an empty plan.");
  const { modelAllowList } = principal;
  const targetNames = modelAllowList === null ? [] : plan.targets.map((each) => each.name);
  if (!isModelAllowed(modelAllowList, plan.asked, targetNames)) {
    throw new HeadgateError(
      "model_not_allowed",
      `This API key may not use the model ${JSON.stringify(plan.asked)}. GET /v1/models lists those it may use.`,
      {
        param: "model",
      },
    );
  }
  const deadline = readDeadline(exchange.incoming.headers, exchange.startedMs, view.stream);
  if (deps.clock.monotonicMs() >= Math.min(deadline.totalDueMs, deadline.firstOutputDueMs)) {
    const message = "The deadline that the request gave passed before a provider could be called.";
    throw new HeadgateError("deadline_exceeded", message);
  }
  const prepared = prepareAttempt(deps, exchange, view, principal, target, deadline);
  const attempt = new Attempt(deps, prepared.call, new ExchangeSink(exchange));
  await deps.journal.open(prepared.hold);
  exchange.attempts.push({ hold: prepared.hold, attempt, endpoint: prepared.endpoint, price: prepared.price });
  if (exchange.cancelCause === null) attempt.start();
  else attempt.cancel(0);
  await attempt.done;
  if (attempt.failure !== null) exchange.failure = attempt.failure;
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
