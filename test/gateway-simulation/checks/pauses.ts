/**
 * Whether a target that has asked for time by a 429 is left alone by everybody until then, and not only by the request that
 * was told. Asked of providers with one credential: of several each may be limited by itself. One that has failed may be
 * called by those who have nobody else.
 */
import type { Config } from "../../../src/config/config.ts";
import type { Hold } from "../../../src/storage/records.ts";
import type { Request } from "../callers/request.ts";
import type { SimulatedCall } from "../providers/call.ts";
import { Violation } from "./violation.ts";

const RATE_LIMITED = 429;

interface Refusal {
  readonly call: SimulatedCall;
  readonly request: Request;
  readonly askedMs: number;
}

export class Pauses {
  readonly #config: Config;
  /** By target: calls that were, or will be, refused for a while. */
  readonly #refusals = new Map<string, Refusal[]>();

  constructor(config: Config) {
    this.#config = config;
  }

  called(request: Request, call: SimulatedCall): void {
    const { retryAfterMs, target, provider } = call.facts;
    if (retryAfterMs === null || this.#config.providers[provider]?.credentials.length !== 1) return;
    const askedMs = Math.min(retryAfterMs, this.#config.health.openMaxMs);
    this.#refusals.getOrInsertComputed(target, () => []).push({ call, request, askedMs });
  }

  /** A call begins. Throws a `Violation` if its target is to be left alone. */
  opening({ attemptId, modelTarget }: Hold, nowMs: number): void {
    for (const { call, request, askedMs } of this.#refusals.get(modelTarget) ?? []) {
      const { endedBy, endedAtMs, facts, status } = call;
      const wasHeard =
        status === RATE_LIMITED && endedBy === "end" && (request.leftAtMs ?? Infinity) > (endedAtMs ?? 0);
      const sinceMs = nowMs - (endedAtMs ?? nowMs);
      if (!wasHeard || sinceMs <= 0 || sinceMs >= askedMs - 1) continue;
      const what = `${attemptId} calls ${modelTarget} ${sinceMs} ms after ${facts.attemptId}`;
      throw new Violation("wait", `${what}, which asked everybody for ${askedMs} ms.`);
    }
  }
}
