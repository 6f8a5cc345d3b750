/** Moves as JSON text. What stands there was written here, so its type is known. */
import type { Move } from "../../escrow/bank.ts";

export function encodeMoves(moves: readonly Move[]): string | null {
  if (moves.length === 0) return null;
  return JSON.stringify(
    moves.map(({ ownerId, accountId, fromGrant, overdraft }) => [
      ownerId,
      accountId,
      String(fromGrant),
      String(overdraft),
    ]),
  );
}

export function parseMoves(text: string | null): readonly Move[] {
  if (text === null) return [];
  const moves = JSON.parse(text) as readonly (readonly [string, string, string, string])[];
  return moves.map(([ownerId, accountId, fromGrant, overdraft]) => ({
    ownerId,
    accountId,
    fromGrant: BigInt(fromGrant),
    overdraft: BigInt(overdraft),
  }));
}
