/**
 * One call as its provider makes it: takes its steps in time, rests while it is paused, and remembers what the gateway
 * was told. Nothing comes after `abort` but, from a provider that does not heed it, data on its way already.
 */
import type { UpstreamCall, UpstreamHandler } from "../../../src/providers/transport.ts";
import type { Agenda, Planned } from "../../simulation/world/agenda.ts";
import type { DataStep, Saying, Step } from "./steps.ts";
import type { Answer } from "./wire.ts";

/** What the provider and the world know of a call. */
export interface CallFacts {
  readonly number: number;
  readonly attemptId: string;
  /** By its name in the configuration. */
  readonly provider: string;
  /** The credential that was presented, by its name. */
  readonly key: string;
  readonly model: string;
  /** `provider/model`. */
  readonly target: string;
  readonly stream: boolean;
  readonly answer: Answer;
  /** Of what it does, for the trace. */
  readonly behaviour: string;
  readonly steps: readonly Step[];
  /** Of an error status: how long it asks to be left alone; `null`: it does not say. */
  readonly retryAfterMs: number | null;
  /** Of an error status: `x-should-retry`, where it is `false`. */
  readonly forbidsRetry: boolean;
  /** Goes on for a moment after it is aborted. */
  readonly heedless: boolean;
}

export interface CallEvents {
  note(what: string): void;
  /** Data were handed to the gateway. */
  delivered(call: SimulatedCall): void;
}

/** How a call ended for the gateway. `aborted`: by itself. */
export type CallEnd = "end" | "break" | "aborted";

export class SimulatedCall implements UpstreamCall {
  readonly facts: CallFacts;
  readonly beganAtMs: number;
  sentAtMs: number | null = null;
  status: number | null = null;
  endedAtMs: number | null = null;
  endedBy: CallEnd | null = null;
  /** All that was said before it ended. */
  readonly said: Set<Saying> = new Set();
  words = 0;
  bytes = 0;
  /** It has said what it used. */
  toldUsage = false;
  /** It was aborted for what it said last, of which the rest was perhaps not read. */
  abortedAtItsWord = false;
  paused = false;
  readonly #agenda: Agenda;
  readonly #handler: UpstreamHandler;
  readonly #events: CallEvents;
  #at = 0;
  #planned: Planned | null = null;
  #waits = false;
  #isCut = false;

  constructor(agenda: Agenda, facts: CallFacts, handler: UpstreamHandler, events: CallEvents) {
    this.facts = facts;
    this.beganAtMs = agenda.nowMs;
    this.#agenda = agenda;
    this.#handler = handler;
    this.#events = events;
    this.#plan();
  }

  get isOver(): boolean {
    return this.endedBy !== null;
  }

  /** It has said all that its dialect needs for an answer to be complete. */
  get isFinished(): boolean {
    return (this.said.has("finish") || this.said.has("whole")) && !this.said.has("flaw");
  }

  /** Who called is dead: it is aborted, and nobody is told of anything. */
  cut(): void {
    this.#isCut = true;
    this.abort();
  }

  abort(): void {
    if (this.isOver) return;
    this.#end("aborted");
    if (!this.facts.heedless) return;
    const late = this.facts.steps.slice(this.#at, this.#at + 2);
    for (const step of late) if (step.kind === "data") this.#agenda.after(step.afterMs, () => this.#sayLate(step));
  }

  #sayLate({ bytes }: DataStep): void {
    if (!this.#isCut) this.#handler.onData(bytes);
  }

  pause(): void {
    this.paused = true;
  }

  /** Its end comes in its time. */
  release(): void {}

  resume(): void {
    this.paused = false;
    if (!this.#waits) return;
    this.#waits = false;
    this.#planned = this.#agenda.after(0, () => this.#take());
  }

  #plan(): void {
    const step = this.facts.steps[this.#at];
    if (step !== undefined && !this.isOver) this.#planned = this.#agenda.after(step.afterMs, () => this.#take());
  }

  #take(): void {
    const step = this.facts.steps[this.#at];
    if (step === undefined || this.isOver) return;
    if (this.paused && (step.kind === "data" || step.kind === "end")) {
      this.#waits = true;
      return;
    }
    this.#at++;
    this.#do(step);
    this.#plan();
  }

  #do(step: Step): void {
    switch (step.kind) {
      case "sent":
        this.sentAtMs = this.#agenda.nowMs;
        this.#handler.onSent();
        break;
      case "head":
        this.status = step.status;
        this.#events.note(`answers ${step.status}`);
        this.#handler.onHeaders(step.status, step.headers);
        break;
      case "data":
        for (const saying of step.says) this.said.add(saying);
        this.toldUsage ||= step.says.some((saying) => this.#tellsUsage(saying));
        this.words += step.words;
        this.bytes += step.bytes.length;
        this.#handler.onData(step.bytes);
        this.abortedAtItsWord = this.isOver;
        this.#events.delivered(this);
        break;
      case "end":
        this.#end("end");
        this.#handler.onEnd();
        break;
      case "break":
        this.#end("break");
        this.#handler.onError(Object.assign(new Error(step.code), { code: step.code }));
        break;
    }
  }

  #tellsUsage(saying: Saying): boolean {
    if (!this.facts.answer.reportsUsage) return false;
    return saying === (this.facts.answer.dialect === "openai" ? "usage" : "finish") || saying === "whole";
  }

  #end(by: CallEnd): void {
    this.endedBy = by;
    this.endedAtMs = this.#agenda.nowMs;
    this.#planned?.cancel();
    this.#events.note(
      `${by === "aborted" ? "is aborted" : by === "end" ? "ends" : "breaks"} after ${this.words} words`,
    );
  }
}
