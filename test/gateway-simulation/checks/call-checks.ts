/** Whether a call may be made: asked at the moment at which it leaves. */
import type { Config } from "../../../src/config/config.ts";
import type { Request } from "../callers/request.ts";
import type { SimulatedCall } from "../providers/call.ts";
import { Violation } from "./violation.ts";

/** What was known when a call left. */
export interface Departure {
  readonly call: SimulatedCall;
  readonly request: Request;
  readonly config: Config;
  /** All that are not over, this one included. */
  readonly running: ReadonlySet<SimulatedCall>;
}

/** Throws a `Violation`. */
export function judgeDeparture(departure: Departure): void {
  const { call, request, config, running } = departure;
  const { attemptId, provider } = call.facts;
  if (request.inbox.hasLeft || request.inbox.endedBy !== null || request.overAtMs !== null) {
    throw new Violation("cancelled", `${attemptId} leaves, and nobody waits for its answer.`);
  }
  const { concurrency } = config.providers[provider] ?? { concurrency: 0 };
  let others = 0;
  for (const each of running) if (each.facts.provider === provider && !each.isFinished) others++;
  if (concurrency > 0 && others > concurrency) {
    throw new Violation("bounded", `${others} calls of ${provider} run at a time instead of ${concurrency}.`);
  }
}
