/**
 * Runs one exchange from its head to its record:
 *
 *   authenticate → admit → read body → view → plan → (queue → reserve → hold, committed → attempt)+ → conclude
 *
 * Whatever fails on the way becomes the exchange's `failure`; `conclude` settles, records and answers in every case,
 * exactly once. A caller who leaves cancels the attempt through `exchange.cancel`, and the same path goes on.
 */
import type { Clock } from "../kernel/clock.ts";
import { HeadgateError, toHeadgateError } from "../kernel/errors.ts";
import type { IdSource } from "../kernel/ids.ts";
import { parseJsonDocument } from "../kernel/json-document.ts";
import type { Transport } from "../providers/transport.ts";
import type { Limits } from "../limits/limits.ts";
import { readPriority } from "../limits/queue/priority.ts";
import type { TargetQueues } from "../limits/queue/queue.ts";
import type { TargetsHealth } from "../routing/health/health.ts";
import type { Journal, RequestRecord } from "../storage/records.ts";
import type { Authenticator, Principal } from "../tenancy/principal.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Admission } from "./admission.ts";
import { conclude } from "./conclusion/conclude.ts";
import { runCourse } from "./course/course.ts";
import { bodyDue, readDeadline } from "./deadline.ts";
import type { Exchange } from "./exchange.ts";
import type { LateReservations } from "./late-reservations.ts";
import { presentedKey } from "./presented-key.ts";
import { embed } from "./sharing/meaning/embed.ts";
import type { Sharing } from "./sharing/sharing.ts";

export interface ExchangeDeps {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly journal: Journal;
  readonly authenticator: Authenticator;
  readonly limits: Limits;
  readonly queues: TargetQueues;
  readonly health: TargetsHealth;
  readonly lateReservations: LateReservations;
  readonly transport: Transport;
  readonly sharing: Sharing;
  readonly admission: Admission;
  readonly telemetry: Telemetry;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Serves one inference request. Rejects, like the other two, only if a bug keeps the answer from being handed over. */
export function runExchange(deps: ExchangeDeps, exchange: Exchange): Promise<void> {
  return guard(deps, exchange, async (principal) => {
    await readRequest(deps, exchange);
    if (deps.sharing.concerns(exchange)) {
      await deps.sharing.serve(exchange, principal, {
        make: () => runCourse(deps, exchange, principal),
        embed: (words) => embed(deps, exchange, principal, words),
      });
    } else {
      await runCourse(deps, exchange, principal);
    }
  });
}

/** Serves a request that the gateway answers by itself, with the same authentication, admission and record. */
export function runLocal(
  deps: ExchangeDeps,
  exchange: Exchange,
  respond: (principal: Principal) => unknown,
): Promise<void> {
  return guard(deps, exchange, async (principal) => {
    exchange.answer = { status: 200, body: Buffer.from(JSON.stringify(await respond(principal))) };
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
    const priority = readPriority(exchange.incoming.headers, null);
    deps.admission.enter(exchange.snapshot.config.limits, priority);
    admitted = true;
    await serve(exchange.principal);
  } catch (thrown) {
    exchange.failure = toHeadgateError(thrown);
  }
  try {
    await concludeShared(deps, exchange);
  } finally {
    exchange.release();
    if (admitted) deps.admission.leave();
  }
}

/** Whoever shares the answer is told of its end, whatever that is. */
async function concludeShared(deps: ExchangeDeps, exchange: Exchange): Promise<void> {
  let record: RequestRecord | null = null;
  try {
    record = await conclude(deps, exchange);
  } finally {
    if (exchange.share !== null) await deps.sharing.concluded(exchange, record);
  }
}

async function readRequest(deps: ExchangeDeps, exchange: Exchange): Promise<void> {
  const inbound = exchange.dialect.inbound;
  if (inbound === undefined)
    throw new HeadgateError("internal", `Dialect ${exchange.dialect.name} is not spoken with callers.`);
  const { incoming } = exchange;
  const deadline = readDeadline(incoming.headers, exchange.startedMs, false);
  exchange.deadlineMs = deadline.askedMs;
  const bytes = await incoming.readBody(bodyDue(deadline));
  exchange.bytesIn = bytes.byteLength;
  const document = parseJsonDocument(bytes, { depth: exchange.snapshot.config.limits.jsonDepth });
  exchange.view = inbound.view(document);
  exchange.admittedMs = deps.clock.monotonicMs();
}
