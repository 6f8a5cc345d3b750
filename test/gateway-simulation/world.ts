/** A simulated world, made from its seed: everything in it, wired, and what will happen there. */
import { loadPriceCatalogue, type PriceCatalogue } from "../../src/accounting/prices/catalogue.ts";
import { createLateReservations } from "../../src/exchange/late-reservations.ts";
import { HeadgateError } from "../../src/kernel/errors.ts";
import type { IdSource } from "../../src/kernel/ids.ts";
import { toAllowanceRow } from "../../src/limits/allowance-row.ts";
import { createLimits, type LimitsEvents } from "../../src/limits/create-limits.ts";
import type { Limits } from "../../src/limits/limits.ts";
import type { AllowanceReader } from "../../src/storage/allowance-reader.ts";
import { Counts } from "../support/seeds/counts.ts";
import { Agenda } from "../simulation/world/agenda.ts";
import { Random } from "../simulation/world/random.ts";
import { Trace } from "../simulation/world/trace.ts";
import { MemoryAnswers } from "../support/memory-answers.ts";
import { MemoryBank } from "../support/memory-bank.ts";
import { drawAsk, twinOf } from "./callers/ask.ts";
import { Traffic } from "./callers/traffic.ts";
import { Auditor } from "./checks/auditor.ts";
import { Violation } from "./checks/violation.ts";
import { describeThrown } from "../support/seeds/violation.ts";
import { Gateway } from "./gateway.ts";
import { SimulatedProviders } from "./providers/providers.ts";
import { askSources, drawScenario, type Scenario } from "./scenario/scenario.ts";
import { SimulatedJournal } from "./store/journal.ts";
import { soundStore, type StoreMood } from "./store/store-mood.ts";
import { createCountingClock, type CountingClock } from "./world/clock.ts";
import { wallMsAt } from "./world/wall-time.ts";

export class World {
  readonly scenario: Scenario;
  readonly agenda: Agenda = new Agenda();
  readonly counts: Counts = new Counts();
  readonly trace: Trace;
  readonly clock: CountingClock;
  readonly bank: MemoryBank;
  readonly answers: MemoryAnswers;
  readonly journal: SimulatedJournal;
  readonly traffic: Traffic;
  readonly auditor: Auditor;
  readonly providers: SimulatedProviders;
  /** `null`: it has not started yet. */
  gateway: Gateway | null = null;
  /** It has stopped, and nothing of it is left. */
  stopped = false;
  readonly #random: Random;
  readonly #ids: IdSource = numberedIds();
  readonly #late = createLateReservations();
  #healed = false;
  #violation: Violation | null = null;

  constructor(seed: number, tell: ((line: string) => void) | null) {
    const random = new Random(seed);
    const { agenda, counts } = this;
    this.#random = random.fork();
    this.scenario = drawScenario(random.fork());
    this.trace = new Trace(agenda, tell);
    this.clock = createCountingClock(agenda, this.scenario.wallTime);
    this.bank = this.#openBank();
    this.answers = new MemoryAnswers(this.clock);
    const violated = (violation: Violation): void => this.violate(violation);
    this.journal = new SimulatedJournal({
      agenda,
      violated,
      random: random.fork(),
      mood: () => this.#storeMood(),
      note: (what) => this.trace.note("store", what),
      opening: (hold) => this.auditor.opening(hold),
      closing: (requestId) => this.auditor.closing(requestId),
      settled: (moves) => this.bank.settle(moves),
      lateSettled: (requestId) => this.#late.closed(requestId, "settled"),
    });
    this.auditor = new Auditor(this);
    this.providers = new SimulatedProviders({
      agenda,
      random: random.fork(),
      plans: this.scenario.providers,
      wallMs: (atMs) => wallMsAt(this.scenario.wallTime, atMs),
      note: (who, what) => this.trace.note(who, what),
      called: (call) => this.auditor.called(call),
      delivered: (call) => this.auditor.delivered(call),
    });
    this.traffic = new Traffic({
      agenda,
      counts,
      random: random.fork(),
      trace: this.trace,
      serve: (ask) => (this.gateway === null || this.gateway.stopping ? null : this.gateway.serve(ask)),
      began: (request) => this.auditor.began(request),
      left: (request) => this.auditor.left(request),
    });
  }

  /** The first thing that went against the invariants. */
  get violation(): Violation | null {
    return this.#violation;
  }

  violate(violation: Violation): void {
    this.#violation ??= violation;
  }

  /** The gateway starts; traffic and its end are planned. */
  begin(): void {
    const { scenario, agenda, traffic } = this;
    this.#openLimits().then(
      (limits) => this.#serve(limits),
      (thrown: unknown) => this.violate(new Violation("crash", describeThrown(thrown))),
    );
    const sources = askSources(scenario);
    for (let number = 1; number <= scenario.requests; number++) {
      const ask = drawAsk(this.#random, number, sources);
      const atMs = this.#random.unit() * scenario.lastsMs;
      agenda.after(atMs, () => traffic.ask(ask));
      for (const afterMs of ask.twinsAfterMs) {
        const twin = twinOf(ask, this.#random, sources);
        agenda.after(atMs + afterMs, () => traffic.ask(twin));
      }
    }
    let sinceMs = 0;
    for (const { untilMs, refuses } of scenario.storeMoods) {
      agenda.after(sinceMs, () => this.#setAnswers(refuses));
      sinceMs = untilMs;
    }
    for (const { atMs, byMs } of scenario.wallTime.jumps) {
      agenda.after(atMs, () => this.trace.note("world", `sets its clocks by ${byMs} ms`));
    }
    if (scenario.stop !== null) agenda.after(scenario.stop.atMs, () => this.stop(scenario.stop?.graceMs ?? 0));
  }

  /** Providers and store are sound from now on. */
  heal(): void {
    this.trace.note("world", "heals");
    this.#healed = true;
    this.#setAnswers(false);
    this.traffic.stop();
    this.providers.heal();
  }

  stop(graceMs: number): void {
    const { gateway } = this;
    if (gateway === null || gateway.stopping) return;
    this.trace.note("gateway", `is to stop within ${Math.round(graceMs)} ms`);
    this.auditor.stopping(graceMs);
    gateway.stop(graceMs).then(
      () => this.trace.note("gateway", "has drained"),
      (thrown: unknown) => this.violate(new Violation("crash", describeThrown(thrown))),
    );
  }

  /** Gives back what is in hand, once nothing runs any more. */
  close(): void {
    if (this.gateway === null) throw new Error("There is no gateway.");
    this.gateway.close().then(
      () => (this.stopped = true),
      (thrown: unknown) => this.violate(new Violation("crash", describeThrown(thrown))),
    );
  }

  #serve(limits: Limits): void {
    const { scenario, agenda, clock, journal, providers } = this;
    this.trace.note("gateway", "serves");
    const random = this.#random.fork();
    this.gateway = new Gateway({
      scenario,
      agenda,
      clock,
      limits,
      journal,
      bank: this.bank,
      answers: this.answers,
      transport: providers,
      ids: this.#ids,
      lateReservations: this.#late,
      catalogue: priceCatalogue,
      random: () => random.unit(),
      violated: (violation) => this.violate(violation),
      shown: (request) => this.auditor.shown(request),
      ended: (request) => {
        this.auditor.ended(request);
        this.traffic.askAgain(request);
      },
    });
  }

  /** Kept answers are in the same store. */
  #setAnswers(refuse: boolean): void {
    const refuses = refuse && !this.#healed;
    this.answers.failure = refuses ? new HeadgateError("storage_unavailable", "The store refuses.") : null;
  }

  #openLimits(): Promise<Limits> {
    const { bank, clock, counts, scenario } = this;
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
    return createLimits({
      bank,
      allowances,
      clock,
      events,
      leaseMs,
      recallWaitMs,
      ids: this.#ids,
      instanceId: "instance",
      delivered: () => Promise.resolve(),
    });
  }

  #openBank(): MemoryBank {
    const bank = new MemoryBank(() => this.clock.wallMs());
    for (const allowance of this.scenario.allowances) bank.allowances.set(allowance.id, allowance);
    bank.before = () => {
      if (this.#storeMood().bankAway) throw new HeadgateError("storage_unavailable", "The bank is away.");
    };
    return bank;
  }

  #storeMood(): StoreMood {
    if (this.#healed) return soundStore;
    const { nowMs } = this.agenda;
    return this.scenario.storeMoods.find(({ untilMs }) => nowMs < untilMs) ?? soundStore;
  }
}

/** The same for all worlds. */
const priceCatalogue: PriceCatalogue = loadPriceCatalogue(null);

function numberedIds(): IdSource {
  let last = 0;
  return { next: (prefix) => `${prefix}-${++last}` };
}
