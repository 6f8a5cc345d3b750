/** All requests of a world, and which of them may share an answer: by an idempotency key, or by the cache. */
import type { Request } from "../callers/request.ts";
import type { SimulatedCall } from "../providers/call.ts";

/** What the request of a comparison is called, behind the id of the request that is compared. */
const COMPARISON = "_embedding";

export class RequestRoll {
  readonly #requests = new Map<string, Request>();
  readonly #byNumber = new Map<number, Request[]>();

  get size(): number {
    return this.#requests.size;
  }

  add(request: Request): void {
    this.#requests.set(request.id, request);
    this.#byNumber.getOrInsertComputed(request.ask.number, () => []).push(request);
  }

  find(id: string | undefined): Request | null {
    return this.#requests.get(id ?? "") ?? null;
  }

  /** The request whose words are compared by the request of that id. */
  findCompared(id: string | undefined): Request | null {
    return id?.endsWith(COMPARISON) === true ? this.find(id.slice(0, -COMPARISON.length)) : null;
  }

  all(): Iterable<Request> {
    return this.#requests.values();
  }

  /** That ask for the same, in whatever words, the request included. */
  askingTheSame({ ask }: Request): readonly Request[] {
    return this.#byNumber.get(ask.number) ?? [];
  }

  /** Whoever may have the same answer, the request included. */
  sharersOf(request: Request): readonly Request[] {
    if (request.exchange.share === null) return [request];
    return this.askingTheSame(request).filter((other) => mayShare(request, other));
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

/** Of two who ask for the same. */
function mayShare(one: Request, other: Request): boolean {
  if (one === other) return true;
  const { payer: a } = one;
  const { payer: b } = other;
  if (a === null || b === null || a.tenantId !== b.tenantId) return false;
  const hasSameKey = one.ask.idempotencyKey !== null && one.ask.idempotencyKey === other.ask.idempotencyKey;
  return hasSameKey || a.projectId === b.projectId;
}

/** The id of the request that compares its words with others'. */
export function comparisonOf({ id }: Request): string {
  return `${id}${COMPARISON}`;
}
