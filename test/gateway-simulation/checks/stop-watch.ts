/** Looks in time whether calls were stopped whose answers nobody waits for. */
import type { Request } from "../callers/request.ts";
import type { SimulatedCall } from "../providers/call.ts";
import type { World } from "../world.ts";
import type { RequestRoll } from "./request-roll.ts";
import { timeoutsOf } from "./terms.ts";
import { Violation } from "./violation.ts";

/** Within which a call must be stopped whose answer nobody waits for. */
const STOPPED_MS = 100;
/** Timers may be late by so much. */
const LATE_MS = 5;

export class StopWatch {
  readonly #world: World;
  readonly #roll: RequestRoll;

  constructor(world: World, roll: RequestRoll) {
    this.#world = world;
    this.#roll = roll;
  }

  /** Its timers begin; `asked`: the model that it is a call for. What nobody waits for any more has other bounds. */
  called(call: SimulatedCall, request: Request, asked: string): void {
    const { agenda, scenario } = this.#world;
    const { connectMs, firstTokenMs, idleMs, totalMs } = timeoutsOf(scenario.config, asked, call.facts.target);
    const isAwaited = (): boolean => !request.inbox.hasLeft && request.overAtMs === null;
    const beginning = (): void => {
      if (call.words === 0 && call.said.size === 0 && isAwaited()) this.#expectInTime(call, "takes too long to begin");
    };
    agenda.after(connectMs + LATE_MS, () => {
      const { sentAtMs } = call;
      if (sentAtMs === null) {
        if (isAwaited()) this.#expectInTime(call, "takes too long to connect");
      } else if (call.facts.stream) {
        agenda.after(sentAtMs + firstTokenMs + LATE_MS - agenda.nowMs, beginning);
      }
    });
    // Of a whole answer all bytes are some of it, and no caller's slowness pauses it.
    const silence = (bytesBefore: number): void => {
      if (call.isOver || !isAwaited()) return;
      const { bytes } = call;
      if (bytes > 0 && bytes === bytesBefore) this.#expectInTime(call, "is silent for too long");
      else agenda.after(idleMs + LATE_MS, () => silence(bytes));
    };
    if (!call.facts.stream) silence(0);
    agenda.after(totalMs + LATE_MS, () => this.#expectInTime(call, "takes too long"));
  }

  /** The caller of a request sees the first of its answer: calls that have lost are stopped. */
  shown(request: Request): void {
    const made = [...request.calls];
    this.#world.agenda.after(STOPPED_MS, () => {
      const running = made.filter(({ isOver, isFinished }) => !isOver && !isFinished);
      if (running.length > 1) this.#expectClosed(request, running[0]);
    });
  }

  /** The caller is gone, or waits no longer. Others may wait for the same answer; its tail may be read for a while. */
  left(request: Request): void {
    for (const call of this.#roll.sourcesOf(request)) if (!call.isOver) this.#watchDeserted(request, call);
  }

  /** The exchange is over. */
  ended(request: Request): void {
    const { agenda, scenario } = this.#world;
    for (const call of request.calls) {
      const { endingMs } = timeoutsOf(scenario.config, request.ask.model, call.facts.target);
      agenda.after(STOPPED_MS, () => this.#expectStopped(request, call));
      agenda.after(STOPPED_MS + endingMs, () => this.#expectClosed(request, call));
    }
    if (request.calls.length === 0) this.left(request);
  }

  #watchDeserted(request: Request, call: SimulatedCall): void {
    const { agenda, scenario } = this.#world;
    const provider = scenario.config.providers[call.facts.provider];
    const drainMs = provider?.callerGone === "drain" ? provider.drainMs : 0;
    const look = (): void => {
      if (this.#roll.isAwaited(request)) return;
      const dueMs = this.#roll.desertedAtMs(request) + STOPPED_MS + drainMs;
      if (agenda.nowMs < dueMs) agenda.after(dueMs - agenda.nowMs, look);
      else this.#expectStopped(request, call);
    };
    agenda.after(STOPPED_MS + drainMs, look);
  }

  /** Connections of answers that are complete may close by themselves. */
  #expectStopped(request: Request, call: SimulatedCall): void {
    if (!call.isFinished) this.#expectClosed(request, call);
  }

  #expectInTime(call: SimulatedCall, what: string): void {
    if (call.isOver || call.isFinished) return;
    const { attemptId, behaviour } = call.facts;
    this.#world.violate(new Violation("timely", `${attemptId}, which ${behaviour}, ${what}.`));
  }

  #expectClosed(request: Request, call: SimulatedCall | undefined): void {
    if (call === undefined || call.isOver) return;
    const detail = `${call.facts.attemptId} of ${request.id} goes on: ${call.facts.behaviour}.`;
    this.#world.violate(new Violation("cancelled", detail));
  }
}
