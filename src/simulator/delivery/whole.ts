/**
 * Sends an answer as one body: at once when nothing is to be waited for (the path that benchmarks measure), otherwise
 * after the time that its first token and the rest would have taken.
 */
import { findFault } from "../faults.ts";
import type { Paced } from "./pace.ts";
import { Refusal } from "../wire/wire.ts";
import { choosePace, type Call, type CallFacts, type Pace } from "./call.ts";
import { Framing, needsFraming } from "./framing.ts";
import { breakUtf8, cutConnection, planInterruption, resetConnection, type Interruption } from "./interruption.ts";

/** The head's fields, name and value by turns; without `length` the body is chunked. */
export function responseHead(facts: CallFacts, contentType: string, length: number | null): string[] {
  const head = facts.wire.responseHeaders(facts.requestId);
  head.push("content-type", findFault(facts.faults, "wrong-content-type") ? "text/plain" : contentType);
  if (length !== null) head.push("content-length", String(length));
  if (findFault(facts.faults, "gzip")) head.push("content-encoding", "gzip");
  return head;
}

export function sendWhole(call: Call, encode: () => string): void {
  const { facts, simulation } = call;
  const pace = choosePace(facts.script, simulation.latency(facts.script));
  const waitMs = pace.firstMs + pace.intervalMs * facts.answer.steps.length;
  if (waitMs <= 0 && facts.faults.length === 0) {
    sendPlain(call, encode());
    call.settle("complete", call.fullTokens());
    return;
  }
  new WholeRun(call, encode, pace).start(waitMs);
}

function sendPlain(call: Call, body: string): void {
  const { response } = call.facts;
  response.writeHead(200, responseHead(call.facts, "application/json", Buffer.byteLength(body)));
  response.end(body);
}

class WholeRun implements Paced {
  dueTick: number | null = null;
  readonly #call: Call;
  readonly #encode: () => string;
  readonly #pace: Pace;
  readonly #interruption: Interruption | null;
  #gone = false;

  constructor(call: Call, encode: () => string, pace: Pace) {
    this.#call = call;
    this.#encode = encode;
    this.#pace = pace;
    this.#interruption = planInterruption(call.facts.faults);
  }

  start(waitMs: number): void {
    this.#call.simulation.running.add(this.#call);
    this.#call.facts.response.on("close", () => this.#onClose());
    if (waitMs > 0) this.#call.simulation.pacer.schedule(this, this.#call.startedMs + waitMs);
    else this.onDue();
  }

  onDue(): void {
    if (this.#gone) this.#call.settle("cancelled", this.#call.fullTokens());
    else if (this.#interruption) this.#interrupt(this.#interruption, this.#encode());
    else {
      this.#call.settle("complete", this.#call.fullTokens());
      this.#send(this.#encode());
    }
  }

  #send(body: string): void {
    const { facts, simulation } = this.#call;
    if (!needsFraming(facts.faults)) {
      sendPlain(this.#call, body);
      return;
    }
    facts.response.writeHead(200, responseHead(facts, "application/json", null));
    const framing = new Framing(facts.response, facts.faults, simulation.pacer, () => undefined);
    framing.write(body);
    framing.end();
  }

  /** The counterpart, for one body, of what the fault does to a stream. */
  #interrupt(interruption: Interruption, body: string): void {
    const { facts } = this.#call;
    const { response } = facts;
    const half = body.slice(0, Math.floor(body.length / 2));
    if (interruption.act !== "silence") this.#call.settle("fault", this.#call.fullTokens());
    switch (interruption.act) {
      case "silence":
        response.writeHead(200, responseHead(facts, "application/json", Buffer.byteLength(body)));
        if (interruption.at === 0) response.flushHeaders();
        else response.write(half);
        return;
      case "reset":
        response.writeHead(200, responseHead(facts, "application/json", Buffer.byteLength(body)));
        response.flushHeaders();
        resetConnection(response);
        return;
      case "cut":
      case "cut-mid":
        response.writeHead(200, responseHead(facts, "application/json", Buffer.byteLength(body)));
        response.write(half);
        cutConnection(response);
        return;
      case "error":
        this.#send(
          facts.wire.encodeRefusal(
            new Refusal(500, "The server had an error while processing your request."),
            facts.requestId,
          ),
        );
        return;
      case "invalid-json":
        this.#send(half);
        return;
      case "invalid-utf8": {
        const bytes = breakUtf8(body, JSON.stringify(facts.answer.choices[0]?.text ?? "").slice(1, -1));
        response.writeHead(200, responseHead(facts, "application/json", bytes.length));
        response.end(bytes);
        return;
      }
      case "end":
        this.#send(body.replace(/"(finish|stop)_reason":"\w+"/g, `"$1_reason":null`));
        return;
      case "huge":
        this.#send(`${" ".repeat(1_048_576 * Math.min(256, Number(interruption.fault.argument) || 16))}${body}`);
    }
  }

  #onClose(): void {
    if (this.#call.settled) return;
    if (findFault(this.#call.facts.faults, "ignore-cancellation") && this.dueTick !== null) {
      this.#gone = true;
      return;
    }
    this.#call.simulation.pacer.cancel(this);
    this.#call.settle("cancelled", this.#call.tokensAfter(this.#stepsTaken()));
  }

  /** How far the answer had come when the caller left. */
  #stepsTaken(): number {
    const elapsedMs = this.#call.simulation.clock.monotonicMs() - this.#call.startedMs - this.#pace.firstMs;
    if (elapsedMs < 0) return 0;
    return this.#pace.intervalMs > 0
      ? Math.floor(elapsedMs / this.#pace.intervalMs) + 1
      : this.#call.facts.answer.steps.length;
  }
}
