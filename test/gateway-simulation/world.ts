/** A simulated world, made from its seed: everything in it, wired, and what will happen there. */
import { loadPriceCatalogue, type PriceCatalogue } from "../../src/accounting/prices/catalogue.ts";
import { HeadgateError } from "../../src/kernel/errors.ts";
import type { IdSource } from "../../src/kernel/ids.ts";
import { Counts } from "../support/seeds/counts.ts";
import { Agenda } from "../simulation/world/agenda.ts";
import { Random } from "../simulation/world/random.ts";
import { Trace } from "../simulation/world/trace.ts";
import { MemoryAnswers } from "../support/memory-answers.ts";
import { MemoryBank } from "../support/memory-bank.ts";
import { drawAsk, twinOf, type Ask } from "./callers/ask.ts";
import type { Request } from "./callers/request.ts";
import { Traffic } from "./callers/traffic.ts";
import { Auditor } from "./checks/auditor.ts";
import type { Violation } from "./checks/violation.ts";
import { SimulatedProviders } from "./providers/providers.ts";
import { askSources, drawScenario, type Scenario } from "./scenario/scenario.ts";
import { Books } from "./store/books.ts";
import { soundStore, type StoreMood } from "./store/store-mood.ts";
import { Machine } from "./world/machine.ts";
import { wallMsAt } from "./world/wall-time.ts";

export class World {
  readonly scenario: Scenario;
  readonly agenda: Agenda = new Agenda();
  readonly counts: Counts = new Counts();
  readonly trace: Trace;
  readonly bank: MemoryBank;
  readonly answers: MemoryAnswers;
  readonly books: Books;
  readonly traffic: Traffic;
  readonly auditor: Auditor;
  readonly providers: SimulatedProviders;
  readonly machines: readonly Machine[];
  readonly #random: Random;
  readonly #ids: IdSource = numberedIds();
  #healed = false;
  #violation: Violation | null = null;

  constructor(seed: number, tell: ((line: string) => void) | null) {
    const random = new Random(seed);
    const { agenda, counts } = this;
    this.#random = random.fork();
    this.scenario = drawScenario(random.fork());
    this.trace = new Trace(agenda, tell);
    this.bank = this.#openBank();
    this.answers = new MemoryAnswers({ wallMs: () => this.wallMs() });
    this.books = new Books({
      nowMs: () => agenda.nowMs,
      violated: (violation) => this.violate(violation),
      settled: (moves) => this.bank.settle(moves),
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
      serve: (ask) => this.#serve(ask),
      began: (request) => this.auditor.began(request),
      left: (request) => this.auditor.left(request),
    });
    const names = ["gateway", "gateway-2"].slice(0, this.scenario.machines);
    this.machines = names.map((name) => this.#openMachine(name, random.fork()));
  }

  /** The first thing that went against the invariants. */
  get violation(): Violation | null {
    return this.#violation;
  }

  violate(violation: Violation): void {
    this.#violation ??= violation;
  }

  /** By all clocks of the world. */
  wallMs(): number {
    return wallMsAt(this.scenario.wallTime, this.agenda.nowMs);
  }

  /** Every machine takes requests, or is about to stop. */
  get isUp(): boolean {
    return this.machines.every(({ process }) => process !== null);
  }

  /** Nothing waits to be committed. */
  get isIdle(): boolean {
    return this.machines.every(({ process }) => process?.journal.idle === true);
  }

  get isStopped(): boolean {
    return this.machines.every(({ stopped }) => stopped);
  }

  /** The gateways start; traffic and mishaps are planned. */
  begin(): void {
    const { scenario, agenda, machines } = this;
    for (const machine of machines) machine.start();
    this.#planTraffic();
    let sinceMs = 0;
    for (const { untilMs, answersAway } of scenario.storeMoods) {
      agenda.after(sinceMs, () => this.#setAnswers(answersAway));
      sinceMs = untilMs;
    }
    for (const { atMs, byMs } of scenario.wallTime.jumps) {
      agenda.after(atMs, () => this.trace.note("world", `sets its clocks by ${byMs} ms`));
    }
    for (const { atMs, machine, downMs } of scenario.kills) {
      agenda.after(atMs, () => machines[machine]?.kill(downMs));
    }
    if (scenario.stop !== null) agenda.after(scenario.stop.atMs, () => this.stop(scenario.stop?.graceMs ?? 0));
  }

  #planTraffic(): void {
    const { scenario, agenda, traffic } = this;
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
    this.auditor.stopping(graceMs);
    for (const machine of this.machines) machine.stop(graceMs);
  }

  /** Gives back what is in hand, once nothing runs any more. */
  close(): void {
    for (const machine of this.machines) machine.close();
  }

  #openMachine(name: string, random: Random): Machine {
    const { scenario, agenda, counts, trace, books, bank, answers, providers, auditor, traffic } = this;
    return new Machine({
      name,
      scenario,
      agenda,
      counts,
      trace,
      books,
      bank,
      answers,
      providers,
      random,
      ids: this.#ids,
      catalogue: priceCatalogue,
      mood: () => this.#storeMood(),
      violated: (violation) => this.violate(violation),
      opening: (hold) => auditor.opening(hold),
      closing: (requestId) => auditor.closing(requestId),
      shown: (request) => auditor.shown(request),
      ended(request) {
        auditor.ended(request);
        traffic.askAgain(request);
      },
      killed(request) {
        auditor.killed(request);
        traffic.askAgain(request);
      },
    });
  }

  /** By any machine that takes requests; `null`: there is none. */
  #serve(ask: Ask): Request | null {
    const serving = this.machines.filter(({ isServing }) => isServing);
    if (serving.length === 0) return null;
    const machine = serving.length === 1 ? serving[0] : this.#random.pick(serving);
    return machine?.process?.gateway.serve(ask) ?? null;
  }

  #setAnswers(away: boolean): void {
    const isAway = away && !this.#healed;
    this.answers.failure = isAway ? new HeadgateError("storage_unavailable", "Kept answers are away.") : null;
  }

  #openBank(): MemoryBank {
    const bank = new MemoryBank(() => this.wallMs());
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
