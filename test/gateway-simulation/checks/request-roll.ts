/** All requests of a world, and which of them may share an answer: by an idempotency key, or by the cache. */
import type { Request } from "../callers/request.ts";
import type { SimulatedCall } from "../providers/call.ts";

export class RequestRoll {
  readonly #requests = new Map<string, Request>();

  get size(): number {
    return this.#requests.size;
  }

  add(request: Request): void {
    this.#requests.set(request.id, request);
  }

  find(id: string | undefined): Request | null {
    return this.#requests.get(id ?? "") ?? null;
  }

  all(): Iterable<Request> {
    return this.#requests.values();
  }

  /** Whoever may have the same answer, the request included. */
  sharersOf(request: Request): readonly Request[] {
    if (request.exchange.share === null) return [request];
    return [...this.#requests.values()].filter(({ ask }) => ask.number === request.ask.number);
  }

  /** The calls that its answer can come from. */
  sourcesOf(request: Request): readonly SimulatedCall[] {
    return this.sharersOf(request).flatMap(({ calls }) => calls);
  }

  /** Whether anybody who may have the same answer is there and waits. */
  isAwaited(request: Request): boolean {
    return this.sharersOf(request).some(({ inbox, overAtMs }) => overAtMs === null && !inbox.hasLeft);
  }

  /** When the last of them left or had it. */
  desertedAtMs(request: Request): number {
    return Math.max(...this.sharersOf(request).map(({ leftAtMs, overAtMs }) => leftAtMs ?? overAtMs ?? Infinity));
  }
}
