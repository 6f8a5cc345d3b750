/**
 * The requests that are open, each from its head until its exchange is over *and* its answer has left for the caller
 * or been lost: what a shutdown cancels and waits for, and what a connection is busy with.
 *
 * Invariant: an idle connection holds on to nothing of its requests. A request leaves when both ends have come, in
 * either order: an exchange may go on after its caller has left, and an answer may wait for a slow caller.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { Roster, type RosterMember } from "../kernel/roster.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { NodeIncoming } from "./node-incoming.ts";

export class OpenRequest implements RosterMember {
  rosterPlace = -1;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly incoming: NodeIncoming;
  readonly exchange: Exchange;
  /** The exchange is over. */
  handled = false;
  /** The response is over: delivered, or its connection is gone. */
  closed = false;

  constructor(request: IncomingMessage, response: ServerResponse, incoming: NodeIncoming, exchange: Exchange) {
    this.request = request;
    this.response = response;
    this.incoming = incoming;
    this.exchange = exchange;
  }
}

/** What is remembered of a connection for as long as it is open. */
interface Connection {
  latest: OpenRequest | null;
}

export class OpenRequests {
  /** Set once, by `drain`: from then on every response closes its connection. */
  draining = false;
  readonly #roster = new Roster<OpenRequest>();
  readonly #connections = new WeakMap<Duplex, Connection>();
  readonly #empty = Promise.withResolvers<void>();
  #onDelivered: () => void = () => undefined;
  /** Exchanges that are over and whose answers wait for their callers. */
  #undelivered = 0;

  /** Whether an answer is still on its way to its caller although its exchange is over. */
  get delivering(): boolean {
    return this.#undelivered > 0;
  }

  add(open: OpenRequest): void {
    this.#roster.add(open);
    const { socket } = open.request;
    const connection = this.#connections.get(socket);
    if (connection === undefined) this.#connections.set(socket, { latest: open });
    else connection.latest = open;
  }

  /** The exchange is over; its body needs no memory any more. */
  handled(open: OpenRequest): void {
    open.handled = true;
    open.incoming.release();
    if (open.closed) this.#delete(open);
    else this.#undelivered++;
  }

  /** The response is over. */
  closed(open: OpenRequest): void {
    open.closed = true;
    if (!open.handled) return;
    this.#undelivered--;
    this.#delete(open);
  }

  /** The last request of a connection, while it is open. */
  latestOn(socket: Duplex): OpenRequest | null {
    return this.#connections.get(socket)?.latest ?? null;
  }

  cancelAll(): void {
    for (const { exchange } of this.#roster.members()) exchange.cancel("shutdown");
  }

  /** Resolves when, after `drain`, no request is open any more. */
  get drained(): Promise<void> {
    return this.#empty.promise;
  }

  /** `onDelivered` is called after each answer that was delivered or lost. */
  drain(onDelivered: () => void): void {
    this.draining = true;
    this.#onDelivered = onDelivered;
    this.#checkEmpty();
  }

  #delete(open: OpenRequest): void {
    this.#roster.delete(open);
    const connection = this.#connections.get(open.request.socket);
    if (connection?.latest === open) connection.latest = null;
    if (!this.draining) return;
    this.#onDelivered();
    this.#checkEmpty();
  }

  #checkEmpty(): void {
    if (this.#roster.size === 0) this.#empty.resolve();
  }
}
