/** One request as the world sees it: what was asked, what came of it at the caller, and the calls it caused. */
import type { Exchange } from "../../../src/exchange/exchange.ts";
import type { Payer } from "../../../src/storage/records.ts";
import type { SimulatedCall } from "../providers/call.ts";
import { principals } from "../scenario/allowances.ts";
import type { Gateway } from "../gateway.ts";
import type { Arriving } from "./arriving.ts";
import type { Ask } from "./ask.ts";
import type { Inbox } from "./inbox.ts";

export class Request {
  /** Who serves it. */
  readonly gateway: Gateway;
  readonly ask: Ask;
  readonly exchange: Exchange;
  readonly incoming: Arriving;
  readonly inbox: Inbox;
  readonly startedMs: number;
  /** Who asks; `null`: nobody that the gateway knows. */
  readonly payer: Payer | null;
  /** In the order in which they were made. */
  readonly calls: SimulatedCall[] = [];
  /** Those by which its words were compared with others'. */
  readonly comparisons: SimulatedCall[] = [];
  /** When its exchange was over; `null`: it goes on. */
  overAtMs: number | null = null;
  leftAtMs: number | null = null;
  /** The process that served it died under it. */
  wasKilled = false;

  constructor(gateway: Gateway, ask: Ask, exchange: Exchange, incoming: Arriving, inbox: Inbox) {
    this.gateway = gateway;
    this.ask = ask;
    this.exchange = exchange;
    this.incoming = incoming;
    this.inbox = inbox;
    this.startedMs = exchange.startedMs;
    this.payer = principals.get(ask.key)?.payer ?? null;
  }

  get id(): string {
    return this.exchange.requestId;
  }

  /** The process is dead: connections break, on both sides, and nothing of it goes on. */
  kill(nowMs: number): void {
    for (const call of [...this.calls, ...this.comparisons]) call.cut();
    if (this.overAtMs !== null) return;
    this.overAtMs = nowMs;
    this.wasKilled = true;
    this.incoming.cut();
    this.inbox.cut();
  }

  /** The caller closes the connection. Whoever has the whole answer does not leave any more. */
  leave(nowMs: number): boolean {
    if (this.inbox.endedBy !== null || this.leftAtMs !== null || this.wasKilled) return false;
    this.leftAtMs = nowMs;
    this.inbox.leave();
    this.incoming.leave();
    this.exchange.cancel("caller-gone");
    return true;
  }
}
