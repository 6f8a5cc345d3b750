/**
 * The accounts that this process's holds stand on, as numbers: their ids would be most of a hold's row, which each request
 * writes. A hold lists numbers with amounts; the view `open_holds` spells them out again.
 *
 * Invariant: a number that stands in a hold has its row in `held_accounts`. It is given out in the transaction of the first
 * hold that needs it; what was given out in a transaction that is rolled back is forgotten. Rows end with their process,
 * or when so many are known that those of no hold are cleared away.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { HeldAmount } from "../../escrow/bank.ts";

interface GivenOut {
  readonly ownerId: string;
  readonly accountId: string;
}

/** Numbers that are known by heart. Windows end and owners change, so that old ones are of no use. */
const NUMBERS_MAX = 10_000;

export class HeldAccounts {
  readonly #instanceId: string;
  readonly #numbersMax: number;
  readonly #insert: StatementSync;
  readonly #clearUnused: StatementSync;
  /** By owner, then by account. */
  readonly #numbers = new Map<string, Map<string, number>>();
  #count = 0;
  #uncommitted: GivenOut[] = [];

  /** `numbersMax`: how many are known by heart. */
  constructor(connection: DatabaseSync, instanceId: string, numbersMax: number = NUMBERS_MAX) {
    this.#instanceId = instanceId;
    this.#numbersMax = numbersMax;
    this.#insert = connection.prepare("INSERT INTO held_accounts (instance_id, owner_id, account_id) VALUES (?, ?, ?)");
    this.#clearUnused = connection.prepare(
      `DELETE FROM held_accounts WHERE instance_id = ?1 AND number NOT IN (
         SELECT CAST(held.key AS INTEGER) FROM holds, json_each(holds.held_numbers) AS held WHERE instance_id = ?1)`,
    );
  }

  /** For the column `held_numbers`: a JSON object of amounts as texts by number; `null` for nothing. Throws what SQLite throws. */
  encode(held: readonly HeldAmount[]): string | null {
    if (held.length === 0) return null;
    if (this.#count >= this.#numbersMax) this.#startOver();
    let text = "";
    for (const { ownerId, accountId, amount } of held) {
      const number = this.#numbers.get(ownerId)?.get(accountId) ?? this.#giveOut(ownerId, accountId);
      text += `${text === "" ? "{" : ","}"${number}":"${amount}"`;
    }
    return `${text}}`;
  }

  /** The transaction is committed. */
  committed(): void {
    if (this.#uncommitted.length > 0) this.#uncommitted = [];
  }

  /** The transaction, or its last part, is rolled back. */
  discard(): void {
    for (const { ownerId, accountId } of this.#uncommitted) {
      if (this.#numbers.get(ownerId)?.delete(accountId) === true) this.#count--;
    }
    this.#uncommitted = [];
  }

  #giveOut(ownerId: string, accountId: string): number {
    const number = Number(this.#insert.run(this.#instanceId, ownerId, accountId).lastInsertRowid);
    const ofOwner = this.#numbers.get(ownerId) ?? new Map<string, number>();
    this.#numbers.set(ownerId, ofOwner.set(accountId, number));
    this.#count++;
    this.#uncommitted.push({ ownerId, accountId });
    return number;
  }

  /** If this is rolled back, rows are there that nobody knows of; they end with the process. */
  #startOver(): void {
    this.#clearUnused.run(this.#instanceId);
    this.#numbers.clear();
    this.#count = 0;
  }
}
