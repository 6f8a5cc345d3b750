/**
 * One life of a gateway process in the simulation: the real `Limits`, requests on it, and what a process does besides.
 *
 *   starting ──▶ serving ──▶ stopping ──▶ gone        from everywhere: crash ──▶ gone
 */
import { createLimits } from "../../../src/limits/create-limits.ts";
import type { Limits } from "../../../src/limits/limits.ts";
import type { Clock } from "../../../src/kernel/clock.ts";
import { HeadgateError } from "../../../src/kernel/errors.ts";
import { describeThrown } from "../../support/seeds/violation.ts";
import { LeaseLog } from "../checks/lease-log.ts";
import { Violation } from "../checks/violation.ts";
import { Replica } from "../model/control.ts";
import type { RequestPlan } from "../scenario/requests.ts";
import { createProcessClock, Life } from "../world/life.ts";
import { BankConnection } from "./bank-connection.ts";
import { Courier } from "./courier.ts";
import type { Server } from "./call.ts";
import { Request } from "./request.ts";
import type { Place, Setting } from "./setting.ts";

const REAP_MS = 500;
const REFRESH_MS = 1_000;
/** Between two attempts to start without the bank. */
const START_AGAIN_MS = 400;
const CALL_PATIENCE_MS = 800;
/** How long a stop waits for open requests and the delivery of what they did, after `Limits` is disposed of. */
const STOP_ROUNDS = 20;
const STOP_ROUND_MS = 100;

export class Gateway implements Server {
  readonly setting: Setting;
  readonly place: Place;
  readonly name: string;
  readonly instanceId: string;
  readonly life: Life;
  readonly leases: LeaseLog = new LeaseLog();
  readonly allowances: Replica = new Replica();
  readonly #clock: Clock;
  readonly #connection: BankConnection;
  readonly courier: Courier;
  readonly #open = new Set<Request>();
  #limits: Limits | null = null;
  #stopping = false;

  constructor(setting: Setting, place: Place) {
    const { agenda, ids, network, bank, scenario, violated } = setting;
    this.setting = setting;
    this.place = place;
    this.name = place.name;
    this.instanceId = ids.next("instance");
    this.life = new Life(agenda);
    this.#clock = createProcessClock(agenda, this.life, scenario.originMs, place.clock);
    this.#connection = new BankConnection({
      agenda,
      network,
      bank,
      violated,
      link: place.link,
      life: this.life,
      leases: this.leases,
      clock: this.#clock,
      patienceMs: CALL_PATIENCE_MS,
      note: (what) => this.#note(what),
    });
    this.courier = new Courier(this, this.#connection);
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  get stoppedMs(): number {
    return this.life.stoppedMs;
  }

  /** Requests that are not closed yet. */
  get openRequests(): number {
    return this.#open.size;
  }

  start(): void {
    this.setting.counts.add("starts");
    this.#note(`starts as ${this.instanceId}`);
    this.place.journal.announce(this.instanceId);
    this.refresh();
    this.courier.start();
    this.#again(REAP_MS, () => this.#connection.reap());
    this.#again(REFRESH_MS, () => this.#poll());
    this.#createLimits();
  }

  /** Learns what the control tables say now. */
  refresh(): void {
    this.allowances.refresh(this.setting.control);
  }

  serve(plan: RequestPlan): void {
    const limits = this.#limits;
    if (limits === null || this.#stopping || !this.life.running) return;
    const request = new Request(this, plan);
    this.#open.add(request);
    request.live(limits).then(
      () => void this.#open.delete(request),
      (thrown: unknown) => this.broke(thrown),
    );
  }

  /** Takes no more requests, gives everything back and ends; what is open for too long is cut off. */
  stop(): void {
    const limits = this.#limits;
    if (this.#stopping || !this.life.running) return;
    this.#stopping = true;
    this.#note("stops");
    if (limits === null) this.#end();
    else this.#dispose(limits);
  }

  /** Dies where it stands. */
  crash(): void {
    if (this.life.dead) return;
    this.#note("crashes");
    this.setting.counts.add("crashes");
    this.#end();
  }

  broke(thrown: unknown): void {
    this.setting.violated(thrown instanceof Violation ? thrown : new Violation("crash", describeThrown(thrown)));
  }

  /** Finds changes whose announcement was lost. Nothing is sent where there are none, which only saves time. */
  async #poll(): Promise<void> {
    if (this.allowances.generation() === this.setting.control.generation) return;
    await this.#connection.call(() => {});
    this.refresh();
  }

  #createLimits(): void {
    const { ids, scenario, counts } = this.setting;
    createLimits({
      bank: this.#connection,
      allowances: this.allowances,
      clock: this.#clock,
      ids,
      instanceId: this.instanceId,
      delivered: () => this.courier.delivered(),
      leaseMs: scenario.leaseMs,
      pollMs: scenario.pollMs,
      recallWaitMs: scenario.recallWaitMs,
      events: {
        softLimitPassed: ({ id }, subject) => this.#passed("soft limits passed", id, subject),
        shadowRefusal: ({ id }, subject) => this.#passed("shadow refusals", id, subject),
        bankUnreachable: () => counts.add("times out of touch with the bank"),
        bankReachable: () => {},
        fenced: (ownerId) => {
          this.#note(`learns that ${ownerId} is fenced`);
          counts.add("fences");
        },
      },
    }).then(
      (limits) => {
        this.#limits = limits;
        this.#note("serves");
      },
      (thrown: unknown) => {
        if (!(thrown instanceof HeadgateError) || thrown.code !== "storage_unavailable") this.broke(thrown);
        else this.life.after(START_AGAIN_MS, () => this.#createLimits());
      },
    );
  }

  #passed(what: string, allowanceId: string, subject: string): void {
    this.setting.counts.add(what);
    this.setting.auditor.passed(allowanceId, subject);
  }

  #dispose(limits: Limits): void {
    limits[Symbol.asyncDispose]().then(
      () => this.#endWhenDelivered(STOP_ROUNDS),
      (thrown: unknown) => this.broke(thrown),
    );
  }

  #endWhenDelivered(rounds: number): void {
    const isDone = this.place.journal.outbox.size === 0 && this.#open.size === 0;
    if (isDone || rounds === 0) this.#end();
    else this.life.after(STOP_ROUND_MS, () => this.#endWhenDelivered(rounds - 1));
  }

  #end(): void {
    const { journal, lost } = this.place;
    const { auditor } = this.setting;
    this.life.end();
    journal.died(this.instanceId);
    for (const asked of [...this.#open].flatMap((request) => request.asked)) {
      const held = journal.heldBy(this.instanceId, asked.requestId);
      const isClosed = journal.outbox.has(asked.requestId) || auditor.books.isDelivered(asked.requestId);
      if (lost || (held === null && isClosed)) auditor.died(asked);
      else auditor.orphaned(asked, held);
    }
    this.#open.clear();
  }

  #again(intervalMs: number, work: () => Promise<unknown>): void {
    this.life.after(intervalMs, () => {
      work().then(
        () => this.#again(intervalMs, work),
        (thrown: unknown) => {
          if (!(thrown instanceof HeadgateError) || thrown.code !== "storage_unavailable") this.broke(thrown);
          else this.#again(intervalMs, work);
        },
      );
    });
  }

  #note(what: string): void {
    this.setting.trace.note(this.name, what);
  }
}
