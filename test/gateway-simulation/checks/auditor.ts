/**
 * Watches a world: judges each call as it leaves and each answer when it is over, and looks again in time whether what had
 * to end has ended and what had to be stopped was stopped. What it finds it tells the world.
 */
import type { Hold } from "../../../src/storage/records.ts";
import type { Request } from "../callers/request.ts";
import type { SimulatedCall } from "../providers/call.ts";
import type { World } from "../world.ts";
import { wallMsAt } from "../world/wall-time.ts";
import { judgeAnswer, judgeRecord, type Look } from "./answer-checks.ts";
import { judgeComparison, judgeDeparture, type Departure } from "./call-checks.ts";
import { DueWatch } from "./due-watch.ts";
import { checkQuiescence, checkSpent } from "./end-checks.ts";
import { judgeEntry } from "./ledger-checks.ts";
import { judgeProbe, probesOf } from "./probes.ts";
import { RequestRoll } from "./request-roll.ts";
import { RetryBudgets } from "./retry-budgets.ts";
import { judgeFlight, judgeKey, judgeReuse, judgeSaving, type SharingFacts } from "./sharing-checks.ts";
import { StopWatch } from "./stop-watch.ts";
import { commitPointOf } from "./terms.ts";
import { Violation } from "./violation.ts";
import { describeThrown } from "../../support/seeds/violation.ts";

/** Of a stream that has not begun for its caller: what is held back at the most, and an event beyond it. */
const HELD_BYTES_MAX = 1_700_000;
/** Between the requests that show that all is well again. */
const PROBE_GAP_MS = 5_000;

export class Auditor {
  readonly #world: World;
  readonly #roll = new RequestRoll();
  readonly #due: DueWatch;
  readonly #stops: StopWatch;
  readonly #budgets: RetryBudgets;
  readonly #sharing: SharingFacts;
  readonly #looks = new Map<Request, Look>();
  readonly #running = new Set<SimulatedCall>();
  /** Of what they used the gateway was told before it settled them. */
  readonly #told = new Set<SimulatedCall>();
  readonly #probes = new Set<Request>();

  constructor(world: World) {
    this.#world = world;
    this.#due = new DueWatch(world, this.#roll);
    this.#stops = new StopWatch(world, this.#roll);
    this.#budgets = new RetryBudgets(world.scenario.config);
    this.#sharing = {
      config: world.scenario.config,
      roll: this.#roll,
      isStoreSound: !world.scenario.storeMoods.some(({ refuses, forgetsToSay }) => refuses || forgetsToSay > 0),
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
    this.#judge(() => this.#budgets.opening(request, hold, this.#world.agenda.nowMs));
  }

  called(call: SimulatedCall): void {
    const { journal, scenario } = this.#world;
    const { attemptId } = call.facts;
    for (const each of this.#running) if (each.isOver) this.#running.delete(each);
    this.#running.add(call);
    this.#judge(() => {
      const hold = journal.holds.get(attemptId);
      const request = this.#roll.find(hold?.requestId) ?? this.#roll.findCompared(hold?.requestId);
      if (hold === undefined || request === null)
        throw new Violation("held", `${attemptId} leaves, and nothing is held for it.`);
      this.#world.trace.note(request.id, `makes call-${call.facts.number}`);
      const isShared = this.#roll.isAwaited(request);
      const departure = { call, request, isShared, config: scenario.config, running: this.#running };
      this.#stops.called(call, request, hold.modelAsked);
      if (hold.requestId === request.id) this.#judgeCall(departure);
      else this.#judgeComparison(departure);
    });
  }

  #judgeCall(departure: Departure): void {
    const { call, request } = departure;
    judgeKey(request, this.#sharing);
    judgeFlight(request, this.#sharing);
    this.#count(request, call);
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
    const { journal, scenario } = this.#world;
    if (!call.facts.stream || call.isOver || call.bytes < HELD_BYTES_MAX) return;
    const request = this.#roll.find(journal.holds.get(call.facts.attemptId)?.requestId);
    if (request === null || request.inbox.hasShown || request.inbox.hasLeft) return;
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
    const { scenario, counts, trace, journal } = this.#world;
    this.#judge(() => {
      const { inbox } = request;
      if (inbox.endedBy === null && !inbox.hasLeft)
        throw new Violation("once", `${request.id} is over without an end.`);
      const look = judgeAnswer(request, commitPointOf(request, scenario.config), this.#roll.sourcesOf(request));
      this.#looks.set(request, look);
      judgeReuse(request, look, this.#sharing);
      if (look === "complete" && !((journal.committedAtMs.get(request.id) ?? Infinity) <= (inbox.endedAtMs ?? -1))) {
        throw new Violation("committed", `${request.id} is complete for its caller before it is for the store.`);
      }
      const code = inbox.headers.get("x-headgate-error-code");
      counts.add(`answers: ${look}${code === undefined ? "" : ` ${code}`}`);
      const reuse = inbox.headers.get("x-headgate-cache");
      if (reuse !== undefined) counts.add(`reuse: ${reuse}`);
      trace.note(
        request.id,
        `is over: ${look}${code === undefined ? "" : ` ${code}`}, after ${request.calls.length} calls`,
      );
      if (this.#probes.has(request)) judgeProbe(request, look, scenario.config);
    });
    this.#stops.ended(request);
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
    const { journal, bank, clock, gateway, scenario } = this.#world;
    const sent = new Set<string>();
    for (const [request, look] of this.#looks) {
      const record = journal.records.get(request.id);
      if (record === undefined && request.calls.length > 0) {
        throw new Violation("journal", `${request.id} made calls and has no record.`);
      }
      const closedAtMs = journal.closedAtMs.get(request.id) ?? Infinity;
      const isDoubtful = journal.doubtful.has(request.id);
      if (record !== undefined) judgeRecord(request, look, record, { closedAtMs, isDoubtful });
      if (record !== undefined && !isDoubtful) judgeSaving(request, record, (id) => journal.costOf(id));
      for (const call of [...request.calls, ...request.comparisons]) {
        const entry = journal.ledger.get(call.facts.attemptId);
        if (entry === undefined)
          throw new Violation("journal", `${call.facts.attemptId} was called and never settled.`);
        judgeEntry(call, entry, this.#told.has(call) && (look === "complete" || !call.abortedAtItsWord));
        if (call.sentAtMs !== null) sent.add(call.facts.attemptId);
      }
    }
    if (gateway === null) throw new Violation("crash", "The gateway never started.");
    checkQuiescence(gateway, bank, journal, clock);
    const away = scenario.storeMoods.some(({ bankAway }) => bankAway);
    checkSpent(scenario.allowances, bank, away, journal.ledger, sent);
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
