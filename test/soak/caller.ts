/**
 * One caller of a soak: sends one request as planned, leaves when it is planned to, and tells what it saw. It keeps
 * of an answer only what the audit asks for.
 */
import { request, type Agent, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import type { Plan } from "./plan.ts";

/**
 * `complete`: the whole answer and, of a stream, its terminal marker. `error`: an error, whole. `left`: as planned.
 * `lost`: the connection broke, which only a gateway that ends may do.
 */
export type Seen = "complete" | "error" | "left" | "lost";

export interface Outcome {
  readonly plan: Plan;
  readonly seen: Seen;
  /** 0: no head came. */
  readonly status: number;
  readonly requestId: string | null;
  readonly headers: IncomingHttpHeaders;
  /** How an answer that is not complete ended. */
  readonly tail: string;
  /** `x-headgate-cost-nano-usd`, where the answer said it. */
  readonly costNanoUsd: bigint | null;
  readonly startedMs: number;
  readonly endedMs: number;
}

const TAIL_CHARS = 400;
/** Terminal markers, by what was asked. */
const streamEnds: ReadonlyMap<string, RegExp> = new Map([
  ["/v1/chat/completions", /data: \[DONE\]\s*$/],
  ["/v1/messages", /data: \{"type":"message_stop"\}\s*$/],
]);

export function callGateway(url: string, agent: Agent, plan: Plan): Promise<Outcome> {
  return new Promise((resolve) => {
    new Call(url, agent, plan, resolve).start();
  });
}

class Call {
  readonly #plan: Plan;
  readonly #outgoing: ClientRequest;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #startedMs = performance.now();
  #response: IncomingMessage | null = null;
  #chunks = 0;
  #tail = "";
  #left = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(url: string, agent: Agent, plan: Plan, resolve: (outcome: Outcome) => void) {
    this.#plan = plan;
    this.#resolve = resolve;
    const length = plan.body === null ? {} : { "content-length": String(Buffer.byteLength(plan.body)) };
    this.#outgoing = request(url + plan.path, {
      agent,
      method: plan.method,
      headers: {
        authorization: `Bearer ${plan.key?.plainKey ?? "hg-nobody"}`,
        "content-type": "application/json",
        "user-agent": `soak/${plan.index}`,
        ...length,
        ...plan.headers,
      },
    });
  }

  start(): void {
    const { leaving, body } = this.#plan;
    this.#outgoing.on("response", (response) => this.#read(response));
    // What broke is told by how much came; `close` follows.
    this.#outgoing.on("error", () => undefined);
    // A connection can close with a part of the answer still to be read: then the response's own `close` counts.
    this.#outgoing.on("close", () => {
      if (this.#response === null) this.#settle();
    });
    if (leaving?.when === "upload") {
      this.#outgoing.write((body ?? "").slice(0, 40), () => this.#leave());
      return;
    }
    this.#outgoing.end(body ?? undefined);
    if (leaving?.when === "after") this.#leaveAfter(leaving.ms);
  }

  #read(response: IncomingMessage): void {
    const { leaving } = this.#plan;
    this.#response = response;
    response.on("error", () => undefined);
    response.on("close", () => this.#settle());
    if (leaving?.when === "stalled") {
      this.#leaveAfter(leaving.ms);
      return;
    }
    response.setEncoding("utf8");
    response.on("data", (text: string) => {
      this.#tail = (this.#tail + text).slice(-TAIL_CHARS);
      this.#chunks++;
      if (leaving?.when === "chunk" && this.#chunks >= leaving.count) this.#leave();
      else if (this.#plan.pauseMs > 0) this.#rest(response);
    });
  }

  #rest(response: IncomingMessage): void {
    response.pause();
    setTimeout(() => response.resume(), this.#plan.pauseMs);
  }

  #leaveAfter(ms: number): void {
    this.#timer = setTimeout(() => this.#leave(), ms);
  }

  #leave(): void {
    if (this.#response?.complete === true && this.#plan.leaving?.when !== "stalled") return;
    this.#left = true;
    this.#outgoing.destroy();
    this.#response?.destroy();
  }

  #settle(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const headers = this.#response?.headers ?? {};
    const id = headers["x-request-id"];
    const cost = headers["x-headgate-cost-nano-usd"];
    const seen = this.#seen();
    this.#resolve({
      plan: this.#plan,
      seen,
      headers,
      tail: seen === "complete" ? "" : this.#tail,
      status: this.#response?.statusCode ?? 0,
      requestId: typeof id === "string" ? id : null,
      costNanoUsd: typeof cost === "string" ? BigInt(cost) : null,
      startedMs: this.#startedMs,
      endedMs: performance.now(),
    });
  }

  #seen(): Seen {
    if (this.#left) return "left";
    const response = this.#response;
    if (response === null || !response.complete) return "lost";
    if (response.statusCode !== 200) return "error";
    if (!this.#plan.stream) return "complete";
    return streamEnds.get(this.#plan.path)?.test(this.#tail) === true ? "complete" : "error";
  }
}
