/**
 * Reservations whose closing the store has refused and keeps for later: each is told when that is committed. One whose
 * closing is given up is never told, so that its owner stays open at the bank until recovery has charged its hold.
 */
import type { Reservation } from "../limits/limits.ts";

export interface LateReservations {
  keep(requestId: string, reservation: Reservation): void;
  /** What became of the closing of a request; of one that is not kept it is nothing. */
  closed(requestId: string, outcome: "settled" | "abandoned"): void;
}

export function createLateReservations(): LateReservations {
  const kept = new Map<string, Reservation>();
  return {
    keep: (requestId, reservation) => void kept.set(requestId, reservation),
    closed(requestId, outcome) {
      if (outcome === "settled") kept.get(requestId)?.committed();
      kept.delete(requestId);
    },
  };
}
