/**
 * One request in its life: what was asked, what is answered, and the one moment at which it is booked. `settle` books
 * at most once, whoever comes first: the end, a fault, or the caller's leaving.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer, Step } from "../answer/answer.ts";
import { sample } from "../answer/distribution.ts";
import type { Random } from "../answer/random.ts";
import type { Fault } from "../faults.ts";
import type { Ended } from "../invoice.ts";
import type { Tokens } from "../prices.ts";
import type { Script } from "../script.ts";
import type { Simulation } from "../simulation.ts";
import type { Marks, Reading, Wire } from "../wire/wire.ts";

export interface CallFacts {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly wire: Wire;
  readonly reading: Reading;
  readonly script: Script;
  /** The script's faults that strike this request. */
  readonly faults: readonly Fault[];
  readonly answer: Answer;
  readonly marks: Marks;
  readonly requestId: string;
  readonly apiKey: string;
}

export class Call {
  readonly facts: CallFacts;
  readonly simulation: Simulation;
  readonly clientRequestId: string | null;
  readonly startedMs: number;
  #settled = false;

  constructor(simulation: Simulation, facts: CallFacts) {
    this.simulation = simulation;
    this.facts = facts;
    this.clientRequestId = readClientRequestId(facts.request);
    this.startedMs = simulation.clock.monotonicMs();
  }

  get id(): string {
    return this.facts.marks.id;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** What a complete answer uses. */
  fullTokens(): Tokens {
    return this.tokensWith(this.facts.answer.outputTokens, this.facts.answer.reasoningTokens);
  }

  /** What the answer uses after this many steps. */
  tokensAfter(steps: number): Tokens {
    const taken = Math.min(steps, this.facts.answer.steps.length);
    let reasoning = 0;
    for (let index = 0; index < taken; index++)
      if ((this.facts.answer.steps[index] as Step).kind === "reasoning") reasoning++;
    return this.tokensWith(taken - reasoning, reasoning);
  }

  tokensWith(output: number, reasoning: number): Tokens {
    const { script, reading } = this.facts;
    return {
      input: script.input ?? reading.ask.inputTokens,
      cacheRead: script.cacheRead,
      cacheWrite5m: script.cacheWrite5m,
      cacheWrite1h: script.cacheWrite1h,
      output,
      reasoning,
    };
  }

  settle(ended: Ended, tokens: Tokens): void {
    if (this.#settled) return;
    this.#settled = true;
    const { simulation, facts } = this;
    simulation.running.delete(this);
    simulation.counts[ended]++;
    simulation.invoice.append({
      ...tokens,
      number: facts.marks.number,
      clientRequestId: this.clientRequestId,
      apiKey: facts.apiKey,
      model: facts.marks.model,
      endpoint: facts.wire.endpoint,
      stream: facts.reading.stream,
      atMs: simulation.clock.wallMs(),
      durationMs: simulation.clock.monotonicMs() - this.startedMs,
      ended,
    });
  }

  /** Ends without a line: nothing was generated and nothing is charged. */
  settleFree(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.simulation.running.delete(this);
    this.simulation.counts.refused++;
  }
}

function readClientRequestId(request: IncomingMessage): string | null {
  const header = request.headers["x-client-request-id"];
  return typeof header === "string" && header !== "" ? header : null;
}

/** When each step of an answer is due, in milliseconds after the start; all zero without a script for it. */
export interface Pace {
  readonly firstMs: number;
  /** Between two steps; 0: as fast as the reader takes them. */
  readonly intervalMs: number;
}

export function choosePace(script: Script, random: Random): Pace {
  const firstMs = script.ttft ? sample(script.ttft, random) : 0;
  const rate = script.rate ? sample(script.rate, random) : 0;
  return { firstMs, intervalMs: rate > 0 ? 1000 / rate : 0 };
}
