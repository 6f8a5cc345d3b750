/**
 * What the world knows of every request's money, kept apart from all that is under test: what it holds, what it
 * settled, and whether that has reached the ledger.
 *
 *   held ──▶ undelivered ──▶ settled        a request is in one of them at a time
 */
import type { HeldAmount, Move } from "../../../src/storage/escrow/bank.ts";
import type { Closing } from "../model/ledger.ts";
import { Violation } from "./violation.ts";

/** What one owner's requests have of one account. */
export interface Position {
  held: bigint;
  undelivered: bigint;
}

interface Booking {
  readonly held: readonly HeldAmount[];
  readonly moves: readonly Move[];
}

const nothing: Booking = { held: [], moves: [] };

export class Books {
  /** Accounts of which something has changed since they were last looked at. */
  readonly touched: Set<string> = new Set();
  readonly #bookings = new Map<string, Booking>();
  readonly #positions = new Map<string, Map<string, Position>>();
  readonly #settled = new Map<string, bigint>();
  readonly #delivered = new Set<string>();

  hold(requestId: string, held: readonly HeldAmount[]): void {
    this.#book(requestId, { held: held.map((amount) => ({ ...amount })), moves: [] });
  }

  settle(requestId: string, moves: readonly Move[]): void {
    this.#book(requestId, { held: [], moves: moves.map((move) => ({ ...move })) });
  }

  /** Its process is gone, and nothing in a journal knows of it. */
  forget(requestId: string): void {
    this.#book(requestId, nothing);
  }

  deliver({ requestId, moves }: Closing): void {
    if (this.#delivered.has(requestId)) throw new Violation("once", `${requestId} is in the ledger twice`);
    this.#delivered.add(requestId);
    this.#book(requestId, nothing);
    for (const { accountId, fromGrant, overdraft } of moves) {
      this.touched.add(accountId);
      this.#settled.set(accountId, this.settledOf(accountId) + fromGrant + overdraft);
    }
  }

  /** Requests that hold something, or whose moves are on their way. */
  get open(): ReadonlyMap<string, Booking> {
    return this.#bookings;
  }

  isDelivered(requestId: string): boolean {
    return this.#delivered.has(requestId);
  }

  heldBy(requestId: string): readonly HeldAmount[] {
    return this.#bookings.get(requestId)?.held ?? [];
  }

  positionsOf(accountId: string): ReadonlyMap<string, Position> {
    return this.#positions.get(accountId) ?? new Map<string, Position>();
  }

  settledOf(accountId: string): bigint {
    return this.#settled.get(accountId) ?? 0n;
  }

  #book(requestId: string, booking: Booking): void {
    this.#add(this.#bookings.get(requestId) ?? nothing, -1n);
    this.#add(booking, 1n);
    if (booking.held.length + booking.moves.length > 0) this.#bookings.set(requestId, booking);
    else this.#bookings.delete(requestId);
  }

  #add({ held, moves }: Booking, sign: 1n | -1n): void {
    for (const { ownerId, accountId, amount } of held) this.#position(ownerId, accountId).held += sign * amount;
    for (const { ownerId, accountId, fromGrant } of moves) {
      this.#position(ownerId, accountId).undelivered += sign * fromGrant;
    }
  }

  #position(ownerId: string, accountId: string): Position {
    this.touched.add(accountId);
    const positions = this.#positions.getOrInsertComputed(accountId, () => new Map<string, Position>());
    return positions.getOrInsertComputed(ownerId, () => ({ held: 0n, undelivered: 0n }));
  }
}
