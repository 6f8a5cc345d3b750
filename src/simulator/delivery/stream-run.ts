/**
 * Sends one stream: head, opening events, a token when it is due, finish, usage, terminal marker, and on the way
 * whatever the faults ask for.
 *
 *   open ──▶ flowing ◀──▶ waiting (for the reader, or for the next token)
 *               │
 *               ├──▶ ended    all was sent, or a fault ended it: booked with what was generated
 *               ├──▶ silent   a fault: nothing more is sent until the caller leaves
 *               └──▶ left     the caller left: booked, unless the script ignores cancellation and goes on
 */
import type { ServerResponse } from "node:http";
import type { Step } from "../answer/answer.ts";
import { faultNumber, findFault } from "../faults.ts";
import type { Ended } from "../invoice.ts";
import type { Paced } from "./pace.ts";
import type { StreamEncoder } from "../wire/wire.ts";
import { choosePace, type Call, type Pace } from "./call.ts";
import { Framing, needsFraming } from "./framing.ts";
import {
  breakJson,
  breakUtf8,
  cutConnection,
  hugeStep,
  planInterruption,
  resetConnection,
  type Interruption,
} from "./interruption.ts";
import { responseHead } from "./whole.ts";

/** Events due together go out in one write up to about this length. */
const BATCH_CHARS = 16_384;

export class StreamRun implements Paced {
  dueTick: number | null = null;
  readonly #call: Call;
  readonly #response: ServerResponse;
  readonly #encoder: StreamEncoder;
  readonly #steps: readonly Step[];
  readonly #pace: Pace;
  readonly #interruption: Interruption | null;
  readonly #framing: Framing | null;
  readonly #comments: boolean;
  readonly #firstDueMs: number;
  #position = 0;
  #reasoning = 0;
  #state: "flowing" | "waiting-reader" | "silent" | "left" | "ended" = "flowing";

  constructor(call: Call) {
    const { facts, simulation } = call;
    this.#call = call;
    this.#response = facts.response;
    this.#steps = facts.answer.steps;
    const tokens = findFault(facts.faults, "no-usage") ? null : call.fullTokens();
    this.#encoder = facts.wire.createStreamEncoder(facts.marks, facts.answer, tokens, facts.reading);
    this.#pace = choosePace(facts.script, simulation.latency(facts.script));
    this.#interruption = planInterruption(facts.faults);
    this.#comments = findFault(facts.faults, "comments") !== null;
    const onDrain = (): void => this.#resume();
    this.#framing = needsFraming(facts.faults)
      ? new Framing(facts.response, facts.faults, simulation.pacer, onDrain)
      : null;
    if (!this.#framing) this.#response.on("drain", onDrain);
    this.#response.on("close", () => this.#onClose());
    this.#firstDueMs = call.startedMs + this.#pace.firstMs;
  }

  start(): void {
    this.#call.simulation.running.add(this.#call);
    this.#response.writeHead(200, responseHead(this.#call.facts, "text/event-stream; charset=utf-8", null));
    this.#response.flushHeaders();
    if (this.#interruption?.at === 0 && this.#endsAtOnce(this.#interruption)) return;
    this.#write(this.#encoder.open());
    this.#advance(this.#call.simulation.clock.monotonicMs());
  }

  onDue(nowMs: number): void {
    this.#advance(nowMs);
  }

  /** Silence and reset before any event. */
  #endsAtOnce(interruption: Interruption): boolean {
    if (interruption.act === "silence") this.#state = "silent";
    else if (interruption.act === "reset") this.#break(() => resetConnection(this.#response));
    else return false;
    return true;
  }

  #advance(nowMs: number): void {
    let batch = "";
    const strikeAt = this.#interruption ? Math.min(this.#interruption.at, this.#steps.length) : -1;
    const batchMax = this.#framing ? 0 : BATCH_CHARS;
    for (;;) {
      if (this.#position === strikeAt && (this.#position < this.#steps.length ? this.#dueMs() <= nowMs : true)) {
        if (batch !== "") this.#write(batch);
        batch = "";
        if (!this.#strike(this.#interruption as Interruption)) return;
      }
      if (this.#position >= this.#steps.length || this.#dueMs() > nowMs) break;
      batch += this.#takeStep(this.#steps[this.#position] as Step);
      if (batch.length > batchMax) {
        if (!this.#write(batch)) return;
        batch = "";
      }
    }
    if (batch !== "" && !this.#write(batch)) return;
    if (this.#position >= this.#steps.length) this.#complete();
    else this.#call.simulation.pacer.schedule(this, this.#dueMs());
  }

  #dueMs(): number {
    return this.#firstDueMs + this.#position * this.#pace.intervalMs;
  }

  /** Generates the step at the position: from here on it is billed. */
  #takeStep(step: Step): string {
    this.#position++;
    if (step.kind === "reasoning") this.#reasoning++;
    const event = this.#encoder.step(step);
    return this.#comments && event !== "" ? `: simulated comment\n\n${this.#encoder.idle()}${event}` : event;
  }

  /** Carries out the fault; `false` if the stream is over or on hold. */
  #strike(interruption: Interruption): boolean {
    const step = this.#steps[this.#position];
    switch (interruption.act) {
      case "silence":
        this.#state = "silent";
        return false;
      case "reset":
        return this.#break(() => resetConnection(this.#response));
      case "cut":
        return this.#break(() => cutConnection(this.#response));
      case "cut-mid": {
        const event = step ? this.#takeStep(step) : this.#encoder.finish();
        this.#write(event.slice(0, Math.floor(event.length * 0.75)));
        return this.#break(() => cutConnection(this.#response));
      }
      case "end":
        return this.#break(() => this.#end());
      case "error":
        this.#write(this.#encoder.error());
        return this.#break(() => this.#end());
      case "invalid-json":
        return step ? this.#write(breakJson(this.#takeStep(step))) : true;
      case "huge":
        return step ? this.#write(this.#takeStep(hugeStep(step, faultNumber(interruption.fault, 16)))) : true;
      case "invalid-utf8":
        return step ? this.#writeBytes(breakUtf8(this.#takeStep(step), step.escaped)) : true;
    }
  }

  #break(act: () => void): false {
    this.#settle("fault");
    act();
    return false;
  }

  #complete(): void {
    const { faults } = this.#call.facts;
    this.#write(this.#encoder.finish());
    this.#write(this.#encoder.usage());
    if (!findFault(faults, "no-terminal-marker")) this.#write(this.#encoder.close());
    this.#settle(faults.length > 0 && this.#interruption ? "fault" : "complete");
    this.#end();
  }

  #settle(ended: Ended): void {
    this.#state = "ended";
    this.#call.settle(ended, this.#call.tokensWith(this.#position - this.#reasoning, this.#reasoning));
  }

  /** `false` if the reader must catch up first; then the stream goes on at its drain. */
  #write(text: string): boolean {
    if (this.#state === "left" || text === "") return true;
    const roomy = this.#framing ? this.#framing.write(text) : this.#response.write(text);
    if (!roomy && this.#state === "flowing") this.#state = "waiting-reader";
    return roomy;
  }

  #writeBytes(bytes: Buffer): boolean {
    if (this.#state === "left") return true;
    const roomy = this.#framing ? this.#framing.writeBytes(bytes) : this.#response.write(bytes);
    if (!roomy && this.#state === "flowing") this.#state = "waiting-reader";
    return roomy;
  }

  #end(): void {
    if (this.#framing) this.#framing.end();
    else this.#response.end();
  }

  #resume(): void {
    if (this.#state !== "waiting-reader") return;
    this.#state = "flowing";
    this.#advance(this.#call.simulation.clock.monotonicMs());
  }

  #onClose(): void {
    if (this.#state === "ended") return;
    if (this.#state !== "silent" && findFault(this.#call.facts.faults, "ignore-cancellation")) {
      const stalled = this.#state === "waiting-reader";
      this.#state = "left";
      if (stalled) this.#advance(this.#call.simulation.clock.monotonicMs());
      return;
    }
    this.#call.simulation.pacer.cancel(this);
    this.#settle("cancelled");
  }
}
