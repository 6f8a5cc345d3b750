/**
 * A gateway process in the simulation: the real exchange, limits, queues, routes and prices, between simulated callers and
 * simulated providers, over a store in memory. It does with them what `src/gateway.ts` and `src/http` do, without sockets.
 *
 *   serving ──▶ stopping: what runs goes on for the grace period and is then cancelled ──▶ stopped
 */
import { createSharing } from "../../src/exchange/sharing/sharing.ts";
import type { PriceCatalogue } from "../../src/accounting/prices/catalogue.ts";
import { findDialect } from "../../src/dialects/registry.ts";
import { createAdmission, type Admission } from "../../src/exchange/admission.ts";
import { Exchange } from "../../src/exchange/exchange.ts";
import type { LateReservations } from "../../src/exchange/late-reservations.ts";
import { runExchange, type ExchangeDeps } from "../../src/exchange/run.ts";
import { createSnapshot, type Snapshot } from "../../src/exchange/snapshot.ts";
import { HeadgateError } from "../../src/kernel/errors.ts";
import type { IdSource } from "../../src/kernel/ids.ts";
import type { Limits } from "../../src/limits/limits.ts";
import { startReaping } from "../../src/limits/reaping.ts";
import { createTargetQueues, type TargetQueues } from "../../src/limits/queue/queue.ts";
import { createTargetsHealth } from "../../src/routing/health/create-health.ts";
import type { Transport } from "../../src/providers/transport.ts";
import type { AnswerStore } from "../../src/storage/answers/answers.ts";
import type { PurgeReader } from "../../src/storage/answers/cache-purges.ts";
import type { Bank } from "../../src/storage/escrow/bank.ts";
import type { Journal } from "../../src/storage/records.ts";
import type { Principal } from "../../src/tenancy/principal.ts";
import type { Agenda } from "../simulation/world/agenda.ts";
import { Arriving } from "./callers/arriving.ts";
import type { Ask } from "./callers/ask.ts";
import { Inbox } from "./callers/inbox.ts";
import { Request } from "./callers/request.ts";
import { bodyOf, headersOf, pathOf } from "./callers/wording.ts";
import { Violation } from "./checks/violation.ts";
import { describeThrown } from "../support/seeds/violation.ts";
import { principals } from "./scenario/allowances.ts";
import type { Scenario } from "./scenario/scenario.ts";
import { createAlarm } from "./world/alarm.ts";
import type { CountingClock } from "./world/clock.ts";

export interface GatewayDeps {
  readonly scenario: Scenario;
  readonly agenda: Agenda;
  readonly clock: CountingClock;
  readonly ids: IdSource;
  readonly limits: Limits;
  readonly bank: Bank;
  readonly journal: Journal;
  readonly answers: AnswerStore & PurgeReader;
  readonly transport: Transport;
  readonly lateReservations: LateReservations;
  readonly catalogue: PriceCatalogue;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly violated: (violation: Violation) => void;
  /** The caller of a request gets the first of its answer. */
  readonly shown: (request: Request) => void;
  /** The exchange of a request is over. */
  readonly ended: (request: Request) => void;
}

export class Gateway {
  readonly admission: Admission = createAdmission();
  readonly queues: TargetQueues;
  readonly limits: Limits;
  /** Requests whose exchanges go on. */
  readonly open: Set<Request> = new Set();
  /** All that it took. */
  readonly #served: Set<Request> = new Set();
  /** It was told to stop, and takes no more requests. */
  stopping = false;
  /** Its process died. */
  wasKilled = false;
  readonly #deps: GatewayDeps;
  readonly #exchange: ExchangeDeps;
  readonly #snapshot: Snapshot;
  readonly #reaping: AsyncDisposable;

  constructor(deps: GatewayDeps) {
    const { scenario, clock, ids, limits, journal, answers, transport, lateReservations, catalogue, random } = deps;
    this.#deps = deps;
    this.limits = limits;
    this.#reaping = startReaping({ bank: deps.bank, clock, reaped() {}, failed() {} });
    this.queues = createTargetQueues({ clock }, scenario.config);
    this.#snapshot = createSnapshot(scenario.config, { catalogue, random, userAgent: "headgate/simulated" });
    const telemetry = createAlarm(deps.violated);
    const kept = { answers, cachePurges: answers, answerMemory: this.admission.answers };
    this.#exchange = {
      clock,
      ids,
      sharing: createSharing({ clock, ids, telemetry, ...kept, version: "simulated" }),
      limits,
      journal,
      transport,
      lateReservations,
      random,
      health: createTargetsHealth({ random }, scenario.config),
      admission: this.admission,
      queues: this.queues,
      telemetry,
      authenticator: { authenticate },
    };
  }

  serve(ask: Ask): Request {
    const { clock, ids, violated, ended } = this.#deps;
    const request = this.#receive(ask, {
      requestId: ids.next("req"),
      startedAtMs: clock.wallMs(),
      startedMs: clock.monotonicMs(),
    });
    this.open.add(request);
    this.#served.add(request);
    runExchange(this.#exchange, request.exchange).then(
      () => {
        this.open.delete(request);
        request.overAtMs = clock.monotonicMs();
        ended(request);
      },
      (thrown: unknown) => violated(new Violation("crash", describeThrown(thrown))),
    );
    return request;
  }

  /** Its process dies: nobody is told of anything. Returns the requests that were being served. */
  kill(nowMs: number): readonly Request[] {
    this.wasKilled = true;
    const killed = [...this.open];
    for (const request of this.#served) request.kill(nowMs);
    this.open.clear();
    return killed;
  }

  /** Resolves when nothing runs any more. What runs beyond the grace period is cancelled. */
  async stop(graceMs: number): Promise<void> {
    this.stopping = true;
    this.queues.drain();
    const drained = this.admission.drain();
    const timer = this.#deps.clock.setTimer(() => this.#cancelAll(), graceMs);
    await drained;
    timer.cancel();
  }

  /** Gives back what is in hand, once nothing runs any more. */
  async close(): Promise<void> {
    await this.#reaping[Symbol.asyncDispose]();
    await this.#exchange.sharing[Symbol.asyncDispose]();
    await this.limits[Symbol.asyncDispose]();
  }

  #cancelAll(): void {
    for (const { exchange } of this.open) exchange.cancel("shutdown");
  }

  #receive(ask: Ask, head: ConstructorParameters<typeof Exchange>[0]): Request {
    const { agenda, scenario, violated, shown } = this.#deps;
    const inbox = new Inbox({
      agenda,
      violated,
      reading: ask.reading,
      bufferBytes: scenario.bufferBytes,
      drained: () => exchange.resume(),
      shown: () => shown(request),
    });
    const incoming = new Arriving(agenda, {
      path: pathOf(ask),
      headers: headersOf(ask),
      body: bodyOf(ask),
      bodyAfterMs: ask.bodyAfterMs,
      bodyTimeoutMs: scenario.config.server.bodyTimeoutMs,
    });
    const exchange = new Exchange(head, incoming, inbox, this.#snapshot, findDialect(ask.speaks));
    const request = new Request(this, ask, exchange, incoming, inbox);
    return request;
  }
}

function authenticate(key: string | null): Principal {
  const principal = principals.get(key ?? "");
  if (principal === undefined) throw new HeadgateError("invalid_api_key", "No such key.");
  return principal;
}
