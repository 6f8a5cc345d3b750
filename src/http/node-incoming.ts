import type { IncomingMessage, ServerResponse } from "node:http";
import type { BodyDue, Incoming } from "../exchange/exchange.ts";
import type { Clock } from "../kernel/clock.ts";
import type { HeadgateError } from "../kernel/errors.ts";
import type { BodyBudget } from "./body-budget.ts";
import { RequestBody, type BodyLimits } from "./request-body.ts";

/**
 * A request on node:http. A class, not an object literal: V8 gives every literal with a getter a hidden class of its
 * own, which keeps the request and all it refers to alive until the next full collection.
 */
export class NodeIncoming implements Incoming {
  readonly method: string;
  readonly path: string;
  readonly #request: IncomingMessage;
  readonly #body: RequestBody;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    clock: Clock,
    limits: BodyLimits,
    budget: BodyBudget,
  ) {
    this.method = request.method ?? "GET";
    this.path = path;
    this.#request = request;
    this.#body = new RequestBody(request, response, clock, limits, budget);
  }

  get headers(): Incoming["headers"] {
    return this.#request.headers;
  }

  readBody(due: BodyDue | null): Promise<Uint8Array> {
    return this.#body.read(due);
  }

  refuseBody(failure: HeadgateError): boolean {
    return this.#body.refuse(failure);
  }

  release(): void {
    this.#body.release();
  }
}
