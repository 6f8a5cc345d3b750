/**
 * Watches a world: judges each call as it leaves and each answer when it is over, and looks again in time whether what had
 * to end has ended and what had to be stopped was stopped. What it finds it tells the world.
 */
import type { Hold } from "../../../src/storage/records.ts";
import type { Request } from "../callers/request.ts";
import type { Gateway } from "../gateway.ts";
import type { SimulatedCall } from "../providers/call.ts";
import type { StoreMood } from "../store/store-mood.ts";
import type { World } from "../world.ts";
import { wallMsAt } from "../world/wall-time.ts";
import { judgeAnswer, judgeKilled, type Look } from "./answer-checks.ts";
import { judgeComparison, judgeDeparture, type Departure } from "./call-checks.ts";
import { Backoffs } from "./backoffs.ts";
import { DueWatch } from "./due-watch.ts";
import { checkQuiescence, checkSpent, checkStore, judgeBooks, sentOf } from "./end-checks.ts";
import { Pauses } from "./pauses.ts";
import { judgeProbe, probesOf } from "./probes.ts";
import { RequestRoll } from "./request-roll.ts";
import { RetryBudgets } from "./retry-budgets.ts";
import { judgeFlight, judgeKey, judgeReuse, type SharingFacts } from "./sharing-checks.ts";
import { SparedTargets } from "./spared-targets.ts";
import { StopWatch } from "./stop-watch.ts";
import { commitPointOf } from "./terms.ts";
import { Violation } from "./violation.ts";
import { describeThrown } from "../../support/seeds/violation.ts";

/** Of a stream that has not begun for its caller: what is held back at the most, and an event beyond it. */
const HELD_BYTES_MAX = 1_700_000;
/** Between the requests that show that all is well again. */
const PROBE_GAP_MS = 5_000;

function isUnsound({ refuses, forgetsToSay, answersAway }: StoreMood): boolean {
  return refuses || forgetsToSay > 0 || answersAway;
}

interface Rules {
  readonly budgets: RetryBudgets;
  readonly pauses: Pauses;
  readonly spared: SparedTargets;
}

export class Auditor {
  readonly #world: World;
  readonly #roll = new RequestRoll();
  readonly #due: DueWatch;
  readonly #stops: StopWatch;
  readonly #rules = new Map<Gateway, Rules>();
  readonly #sharing: SharingFacts;
  readonly #looks = new Map<Request, Look>();
  readonly #running = new Map<Gateway, Set<SimulatedCall>>();
  /** Of what they used the gateway was told before it settled them. */
  readonly #told = new Set<SimulatedCall>();
  readonly #probes = new Set<Request>();
  readonly #backoffs: Backoffs;

  constructor(world: World) {
    this.#world = world;
    this.#backoffs = new Backoffs(world.scenario.config);
    this.#due = new DueWatch(world, this.#roll);
    this.#stops = new StopWatch(world, this.#roll);
    this.#sharing = {
      config: world.scenario.config,
      roll: this.#roll,
      isStoreSound: !world.scenario.storeMoods.some(isUnsound),
      isAlone: world.scenario.machines === 1,
      areClocksSound: world.scenario.wallTime.jumps.length === 0,
      wallMs: (atMs) => wallMsAt(world.scenario.wallTime, atMs),
      lookOf: (request) => this.#looks.get(request) ?? null,
    };
  }

  get openRequests(): number {
    return this.#roll.size - this.#looks.size;
  }

  began(request: Request): void {
    this.#roll.add(request);
    this.#due.began(request);
  }

  /** A call begins: its hold is to be written. */
  opening(hold: Hold): void {
    const request = this.#roll.find(hold.requestId);
    const gateway = (request ?? this.#roll.findCompared(hold.requestId))?.gateway;
    if (gateway === undefined) return;
    const { nowMs } = this.#world.agenda;
    const { budgets, pauses, spared } = this.#rulesOf(gateway);
    this.#judge(() => budgets.opening(request, hold, nowMs));
    this.#judge(() => pauses.opening(hold, nowMs));
    this.#judge(() => spared.opening(hold, request === null, nowMs));
  }

  /** What a process keeps to for all of its requests. */
  #rulesOf(gateway: Gateway): Rules {
    const { config } = this.#world.scenario;
    return this.#rules.getOrInsertComputed(gateway, () => {
      return {
        budgets: new RetryBudgets(config),
        pauses: new Pauses(config),
        spared: new SparedTargets(config),
      };
    });
  }

  called(call: SimulatedCall): void {
    const { books, scenario } = this.#world;
    const { attemptId } = call.facts;
    this.#judge(() => {
      const hold = books.holds.get(attemptId);
      const request = this.#roll.find(hold?.requestId) ?? this.#roll.findCompared(hold?.requestId);
      if (hold === undefined || request === null)
        throw new Violation("held", `${attemptId} leaves, and nothing is held for it.`);
      this.#world.trace.note(request.id, `makes call-${call.facts.number}`);
      const isShared = this.#roll.isAwaited(request);
      const running = this.#runningWith(call, request.gateway);
      const departure = { call, request, isShared, running, config: scenario.config };
      this.#stops.called(call, request, hold.modelAsked);
      const { pauses, spared } = this.#rulesOf(request.gateway);
      pauses.called(request, call);
      spared.called(call);
      if (hold.requestId === request.id) this.#judgeCall(departure);
      else this.#judgeComparison(departure);
    });
  }

  /** What the process of a call calls now, that call included. */
  #runningWith(call: SimulatedCall, gateway: Gateway): ReadonlySet<SimulatedCall> {
    const running = this.#running.getOrInsertComputed(gateway, () => new Set());
    for (const each of running) if (each.isOver) running.delete(each);
    return running.add(call);
  }

  #judgeCall(departure: Departure): void {
    const { call, request } = departure;
    judgeKey(request, this.#sharing);
    judgeFlight(request, this.#sharing);
    this.#count(request, call);
    this.#backoffs.called(request, call);
    request.calls.push(call);
    judgeDeparture(departure);
  }

  #judgeComparison(departure: Departure): void {
    const { call, request } = departure;
    this.#world.counts.add("comparisons");
    request.comparisons.push(call);
    judgeComparison(departure);
  }

  delivered(call: SimulatedCall): void {
    const { books, scenario } = this.#world;
    if (!call.facts.stream || call.isOver || call.bytes < HELD_BYTES_MAX) return;
    const request = this.#roll.find(books.holds.get(call.facts.attemptId)?.requestId);
    if (request === null || request.inbox.hasShown || request.inbox.hasLeft) return;
    // In translation nothing is left of events that say nothing.
    if (request.ask.speaks !== "openai-chat") return;
    const holdsAll = commitPointOf(request, scenario.config) === "complete";
    if (call.bytes > HELD_BYTES_MAX + (holdsAll ? scenario.config.limits.responseBytes : 0)) {
      this.#world.violate(new Violation("memory", `${call.bytes} bytes of ${call.facts.attemptId} are held back.`));
    }
  }

  shown(request: Request): void {
    this.#stops.shown(request);
  }

  stopping(graceMs: number): void {
    this.#due.stopping(graceMs);
  }

  left(request: Request): void {
    this.#due.left(request);
    this.#stops.left(request);
  }

  ended(request: Request): void {
    const { scenario, books } = this.#world;
    this.#judge(() => {
      const { inbox } = request;
      if (inbox.endedBy === null && !inbox.hasLeft)
        throw new Violation("once", `${request.id} is over without an end.`);
      const look = judgeAnswer(request, commitPointOf(request, scenario.config), this.#roll.sourcesOf(request));
      this.#looks.set(request, look);
      judgeReuse(request, look, this.#sharing);
      if (look === "complete" && !((books.committedAtMs.get(request.id) ?? Infinity) <= (inbox.endedAtMs ?? -1))) {
        throw new Violation("committed", `${request.id} is complete for its caller before it is for the store.`);
      }
      this.#tell(request, look);
      if (this.#probes.has(request)) judgeProbe(request, look, scenario.config);
    });
    this.#stops.ended(request);
  }

  /** Its process has died under it: its connection broke, unless it had its answer. */
  killed(request: Request): void {
    if (request.inbox.endedBy !== "destroy") {
      this.ended(request);
      return;
    }
    this.#looks.set(request, "killed");
    this.#tell(request, "killed");
    this.#judge(() => judgeKilled(request, this.#roll.sourcesOf(request)));
  }

  #tell({ id, inbox, calls }: Request, look: Look): void {
    const { counts, trace } = this.#world;
    const code = inbox.headers.get("x-headgate-error-code");
    const reuse = inbox.headers.get("x-headgate-cache");
    const told = code === undefined ? look : `${look} ${code}`;
    counts.add(`answers: ${told}`);
    if (reuse !== undefined) counts.add(`reuse: ${reuse}`);
    trace.note(id, `is over: ${told}, after ${calls.length} calls`);
  }

  /** What was told later cannot be charged. */
  closing(requestId: string): void {
    const calls = this.#roll.find(requestId)?.calls ?? this.#roll.findCompared(requestId)?.comparisons ?? [];
    for (const call of calls) if (call.toldUsage) this.#told.add(call);
  }

  /** Asks for every model, once nothing is wrong any more. Returns how long that takes. */
  probe(): number {
    const { agenda, scenario, traffic } = this.#world;
    const asks = probesOf(scenario);
    for (const [at, ask] of asks.entries()) {
      agenda.after(at * PROBE_GAP_MS, () => {
        const request = traffic.ask(ask);
        if (request !== null) this.#probes.add(request);
      });
    }
    return asks.length * PROBE_GAP_MS;
  }

  /** Throws a `Violation`. */
  checkEnd(): void {
    const { books, bank, machines, scenario } = this.#world;
    this.#backoffs.checkEnd();
    judgeBooks(this.#looks, this.#told, books);
    for (const { process } of machines) {
      if (process === null) throw new Violation("crash", "A gateway does not run.");
      checkQuiescence(process);
    }
    checkStore(bank, books);
    const away = scenario.storeMoods.some(({ bankAway }) => bankAway);
    checkSpent(scenario.allowances, bank, away, books.ledger, sentOf(this.#looks.keys()));
  }

  #count({ calls }: Request, { facts }: SimulatedCall): void {
    const { counts } = this.#world;
    counts.add(`calls: ${facts.behaviour.replace(/ for \d+ ms$/, "")}`);
    if (calls.some(({ isOver }) => !isOver)) counts.add("calls beside others");
    if (calls.some((other) => other.facts.provider === facts.provider)) counts.add("calls made again");
    else if (calls.length > 0) counts.add("calls of other targets");
  }

  #judge(judgement: () => void): void {
    try {
      judgement();
    } catch (thrown) {
      this.#world.violate(thrown instanceof Violation ? thrown : new Violation("crash", describeThrown(thrown)));
    }
  }
}
