/**
 * The gateway as callers know it: one address, behind which a process dies and another takes its place.
 *
 *   up ── kill ─▶ down: SIGKILL, perhaps another one in the middle of the start, then a new process ─▶ up
 *    └── restart ─▶ down: SIGTERM, exit code 0 within its grace, a new process ─▶ up
 *
 * Callers wait for `up` before they send; what they have under way when it goes down may be lost.
 */
import { type Child, startAndKillGateway, startGatewayProcess } from "../children.ts";
import type { SoakPlace } from "./place.ts";

/** Monotonic times between which no answer can be relied on. */
interface Outage {
  readonly fromMs: number;
  untilMs: number;
}

export class GatewayUnderLoad implements AsyncDisposable {
  readonly #place: SoakPlace;
  readonly #port: number;
  readonly #outages: Outage[] = [];
  #child: Child;
  #up: Promise<void> = Promise.resolve();
  /** How long each start after the first took until the gateway was ready, recovery included. */
  readonly restartsMs: number[] = [];
  kills = 0;

  private constructor(place: SoakPlace, child: Child) {
    this.#place = place;
    this.#child = child;
    this.#port = Number(new URL(child.url).port);
  }

  static async start(place: SoakPlace): Promise<GatewayUnderLoad> {
    return new GatewayUnderLoad(place, await startGatewayProcess(place, 0));
  }

  get url(): string {
    return this.#child.url;
  }

  get up(): Promise<void> {
    return this.#up;
  }

  /** Whether a request between these times may have lost its connection. */
  wasDownDuring(fromMs: number, untilMs: number): boolean {
    return this.#outages.some((outage) => outage.fromMs <= untilMs && fromMs <= outage.untilMs);
  }

  /** SIGKILL at once. `againAfterMs`: the next process is killed, too, so long after its start; `null`: it is not. */
  kill(againAfterMs: number | null): Promise<void> {
    return this.#goDown(async () => {
      await this.#child.end("SIGKILL");
      this.kills++;
      if (againAfterMs === null) return;
      await startAndKillGateway(this.#place, this.#port, againAfterMs);
      this.kills++;
    });
  }

  /** SIGTERM under load. Rejects unless the process ends with 0. */
  restart(): Promise<void> {
    return this.#goDown(() => this.#terminate());
  }

  /** SIGTERM for good. Rejects unless the process ends with 0. */
  async stop(): Promise<void> {
    await this.#up;
    await this.#terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.end("SIGKILL");
  }

  #goDown(end: () => Promise<void>): Promise<void> {
    const outage: Outage = { fromMs: performance.now(), untilMs: Infinity };
    this.#outages.push(outage);
    const over = this.#up.then(async () => {
      await end();
      this.#child = await startGatewayProcess(this.#place, this.#port);
      this.restartsMs.push(this.#child.readyMs);
      outage.untilMs = performance.now();
    });
    this.#up = over;
    return over;
  }

  async #terminate(): Promise<void> {
    const code = await this.#child.end("SIGTERM");
    if (code !== 0) throw new Error(`The gateway ended with ${code} after SIGTERM.`);
  }
}
