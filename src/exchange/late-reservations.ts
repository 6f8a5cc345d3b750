/**
 * Reservations whose closing the store has refused and keeps for later: each is told when that is committed. One whose
 * closing is given up is never told, so that its owner stays open at the bank until recovery has charged its hold.
 */
import type { Reservation } from "../limits/limits.ts";

export interface LateReservations {
  keep(requestId: string, reservations: readonly Reservation[]): void;
  /** What became of the closing of a request; of one that is not kept it is nothing. */
  closed(requestId: string, outcome: "settled" | "abandoned"): void;
}

export function createLateReservations(): LateReservations {
  const kept = new Map<string, readonly Reservation[]>();
  return {
    keep: (requestId, reservations) => void kept.set(requestId, reservations),
    closed(requestId, outcome) {
      if (outcome === "settled") for (const reservation of kept.get(requestId) ?? []) reservation.committed();
      kept.delete(requestId);
    },
  };
}
