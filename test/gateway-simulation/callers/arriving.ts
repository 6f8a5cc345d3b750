/** A request on its way in: its body takes a while to arrive, or never does. */
import type { BodyDue, Incoming } from "../../../src/exchange/exchange.ts";
import { HeadgateError } from "../../../src/kernel/errors.ts";
import type { Agenda } from "../../simulation/world/agenda.ts";

export interface ArrivingOptions {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Since the head. */
  readonly bodyAfterMs: number;
  /** Longer than that a body may not take. */
  readonly bodyTimeoutMs: number;
}

export class Arriving implements Incoming {
  readonly method = "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** When reading it was over, well or not. */
  readAtMs: number | null = null;
  readonly #agenda: Agenda;
  readonly #options: ArrivingOptions;
  #reading: PromiseWithResolvers<Uint8Array> | null = null;

  constructor(agenda: Agenda, options: ArrivingOptions) {
    this.#agenda = agenda;
    this.#options = options;
    this.path = options.path;
    this.headers = options.headers;
  }

  readBody(due: BodyDue | null): Promise<Uint8Array> {
    const { body, bodyAfterMs, bodyTimeoutMs } = this.#options;
    const reading = Promise.withResolvers<Uint8Array>();
    this.#reading = reading;
    const dueInMs = due === null ? Infinity : Math.max(0, due.atMs - this.#agenda.nowMs);
    this.#agenda.after(Math.min(bodyAfterMs, bodyTimeoutMs, dueInMs), () => {
      if (bodyAfterMs <= Math.min(bodyTimeoutMs, dueInMs)) {
        if (this.#over()) reading.resolve(body);
        return;
      }
      const tooSlow = new HeadgateError("body_timeout", "The body took too long.");
      this.refuseBody(due !== null && dueInMs < bodyTimeoutMs ? due.passed() : tooSlow);
    });
    return reading.promise;
  }

  refuseBody(failure: HeadgateError): boolean {
    const reading = this.#reading;
    if (reading === null || !this.#over()) return false;
    reading.reject(failure);
    return true;
  }

  /** Nobody reads it any more. */
  cut(): void {
    this.#over();
  }

  /** The caller is gone. */
  leave(): void {
    this.refuseBody(
      new HeadgateError("client_closed", "The caller closed the connection before the body was complete."),
    );
  }

  #over(): boolean {
    if (this.readAtMs !== null) return false;
    this.readAtMs = this.#agenda.nowMs;
    return true;
  }
}
