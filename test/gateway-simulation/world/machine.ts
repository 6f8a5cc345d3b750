/**
 * A machine of the simulated world: one gateway process after the other, all on the same store.
 *
 *   starting: settles what a dead one left ──▶ serving ──▶ stopping ──▶ stopped
 *       ▲                                        │
 *       └──────────── down for a while ◀─ killed ┘
 *
 * Nothing of a process that is killed goes on: its timers, its calls, its callers' connections and what it had not
 * committed end with it.
 */
import type { PriceCatalogue } from "../../../src/accounting/prices/catalogue.ts";
import { createLateReservations } from "../../../src/exchange/late-reservations.ts";
import type { IdSource } from "../../../src/kernel/ids.ts";
import { toAllowanceRow } from "../../../src/limits/allowance-row.ts";
import { createLimits, type LimitsEvents } from "../../../src/limits/create-limits.ts";
import type { Limits } from "../../../src/limits/limits.ts";
import type { AllowanceReader } from "../../../src/storage/allowance-reader.ts";
import type { Hold } from "../../../src/storage/records.ts";
import type { Counts } from "../../support/seeds/counts.ts";
import { describeThrown } from "../../support/seeds/violation.ts";
import type { MemoryAnswers } from "../../support/memory-answers.ts";
import type { MemoryBank } from "../../support/memory-bank.ts";
import type { Agenda } from "../../simulation/world/agenda.ts";
import type { Random } from "../../simulation/world/random.ts";
import type { Trace } from "../../simulation/world/trace.ts";
import type { Request } from "../callers/request.ts";
import { Violation } from "../checks/violation.ts";
import { Gateway } from "../gateway.ts";
import type { SimulatedProviders } from "../providers/providers.ts";
import type { Scenario } from "../scenario/scenario.ts";
import type { Books } from "../store/books.ts";
import { SimulatedJournal } from "../store/journal.ts";
import { recover, type DeadProcess } from "../store/recovery.ts";
import type { StoreMood } from "../store/store-mood.ts";
import { createCountingClock, type CountingClock } from "./clock.ts";

export interface MachineDeps {
  readonly name: string;
  readonly scenario: Scenario;
  readonly agenda: Agenda;
  readonly counts: Counts;
  readonly trace: Trace;
  readonly random: Random;
  readonly ids: IdSource;
  readonly catalogue: PriceCatalogue;
  readonly books: Books;
  readonly bank: MemoryBank;
  readonly answers: MemoryAnswers;
  readonly providers: SimulatedProviders;
  readonly mood: () => StoreMood;
  readonly violated: (violation: Violation) => void;
  readonly opening: (hold: Hold) => void;
  readonly closing: (requestId: string) => void;
  readonly shown: (request: Request) => void;
  readonly ended: (request: Request) => void;
  /** Its process has died under it. */
  readonly killed: (request: Request) => void;
}

/** One process, and what is its own. */
export interface Process extends DeadProcess {
  readonly clock: CountingClock;
  readonly journal: SimulatedJournal;
  readonly gateway: Gateway;
}

/** While the store cannot be asked what is left of a dead process. */
const RECOVERY_RETRY_MS = 1_000;

export class Machine {
  /** `null`: there is none yet, or again. */
  process: Process | null = null;
  /** It has stopped, and nothing of it is left. */
  stopped = false;
  readonly #deps: MachineDeps;
  #processes = 0;
  #dead: DeadProcess | null = null;

  constructor(deps: MachineDeps) {
    this.#deps = deps;
  }

  /** Its process takes requests. */
  get isServing(): boolean {
    return this.process !== null && !this.process.gateway.stopping;
  }

  start(): void {
    this.#start().catch((thrown: unknown) => this.#crashed(thrown));
  }

  /** `graceMs`: what runs longer is cancelled. */
  stop(graceMs: number): void {
    const { trace, name } = this.#deps;
    if (this.process === null || this.process.gateway.stopping) return;
    trace.note(name, `is to stop within ${Math.round(graceMs)} ms`);
    this.process.gateway.stop(graceMs).then(
      () => trace.note(name, "has drained"),
      (thrown: unknown) => this.#crashed(thrown),
    );
  }

  /** Gives back what is in hand, once nothing runs any more. */
  close(): void {
    if (this.process === null) throw new Error(`${this.#deps.name} has no process.`);
    this.process.gateway.close().then(
      () => (this.stopped = true),
      (thrown: unknown) => this.#crashed(thrown),
    );
  }

  /** Its process dies at once; another one starts after `downMs`. */
  kill(downMs: number): void {
    const { agenda, counts, trace, name, killed } = this.#deps;
    const { process } = this;
    if (process === null || process.gateway.stopping) return;
    trace.note(name, "is killed");
    counts.add("processes killed");
    process.clock.stop();
    process.journal.die();
    this.process = null;
    this.#dead = process;
    for (const request of process.gateway.kill(agenda.nowMs)) killed(request);
    agenda.after(downMs, () => this.start());
  }

  async #start(): Promise<void> {
    const { agenda, scenario, trace, name, ids, bank, answers, providers, catalogue, violated, shown, ended } =
      this.#deps;
    await this.#recover();
    const instanceId = `${name}/${++this.#processes}`;
    const ownerIds: string[] = [];
    const clock = createCountingClock(agenda, scenario.wallTime);
    const lateReservations = createLateReservations();
    const journal = this.#connect(instanceId, (requestId) => lateReservations.closed(requestId, "settled"));
    const limits = await this.#openLimits(instanceId, clock, noting(ids, "own", ownerIds));
    const random = this.#deps.random.fork();
    const gateway = new Gateway({
      scenario,
      agenda,
      clock,
      limits,
      journal,
      bank,
      answers,
      lateReservations,
      catalogue,
      ids,
      violated,
      shown,
      ended,
      transport: providers,
      random: () => random.unit(),
    });
    trace.note(name, "serves");
    this.process = { instanceId, ownerIds, clock, journal, gateway };
  }

  async #recover(): Promise<void> {
    const { agenda, books, bank, scenario, trace, name, mood } = this.#deps;
    while (this.#dead !== null) {
      const { refuses, bankAway } = mood();
      if (!refuses && !bankAway) {
        const { wallMs } = createCountingClock(agenda, scenario.wallTime);
        await recover(this.#dead, books, bank, wallMs());
        trace.note(name, `settles what ${this.#dead.instanceId} held`);
        this.#dead = null;
        return;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      agenda.after(RECOVERY_RETRY_MS, resolve);
      await promise;
    }
  }

  #connect(instanceId: string, lateSettled: (requestId: string) => void): SimulatedJournal {
    const { agenda, random, books, mood, trace, opening, closing } = this.#deps;
    const note = (what: string): void => trace.note("store", what);
    return new SimulatedJournal({
      agenda,
      books,
      instanceId,
      mood,
      note,
      opening,
      closing,
      lateSettled,
      random: random.fork(),
    });
  }

  #openLimits(instanceId: string, clock: CountingClock, ids: IdSource): Promise<Limits> {
    const { bank, counts, scenario } = this.#deps;
    const events: LimitsEvents = {
      softLimitPassed: () => counts.add("soft limits passed"),
      shadowRefusal: () => counts.add("shadow refusals"),
      bankUnreachable: () => counts.add("times out of touch with the bank"),
      bankReachable: () => {},
      fenced: () => counts.add("fences"),
    };
    const rows = scenario.allowances.map((allowance) => toAllowanceRow(allowance, 1));
    const allowances: AllowanceReader = {
      generation: () => 1,
      ofTenant: (tenantId) => rows.filter((row) => row.tenant_id === tenantId),
    };
    const { leaseMs, recallWaitMs } = scenario.config.budgets;
    const delivered = (): Promise<void> => Promise.resolve();
    return createLimits({ bank, allowances, clock, events, leaseMs, recallWaitMs, ids, instanceId, delivered });
  }

  #crashed(thrown: unknown): void {
    this.#deps.violated(new Violation("crash", describeThrown(thrown)));
  }
}

/** Ids of a kind are noted. */
function noting(ids: IdSource, kind: string, noted: string[]): IdSource {
  return {
    next(prefix) {
      const id = ids.next(prefix);
      if (prefix === kind) noted.push(id);
      return id;
    },
  };
}
