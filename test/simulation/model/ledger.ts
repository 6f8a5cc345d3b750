/**
 * The shared ledger: what requests did, each once. What is delivered twice changes nothing the second time; that, and
 * that moves are committed together with entries, stands here for a database transaction.
 */
import type { Move } from "../../../src/storage/escrow/bank.ts";

/** What a request did, on its way from its machine's journal to the ledger. */
export interface Closing {
  readonly requestId: string;
  /** The life of the process that did it, or whose journal told. */
  readonly instanceId: string;
  /** Charged from the journal, because the process died. */
  readonly recovered: boolean;
  readonly moves: readonly Move[];
}

export class Ledger {
  readonly #requestIds = new Set<string>();
  readonly #applyMoves: (moves: readonly Move[]) => void;
  readonly #settled: (closing: Closing) => void;

  /** `applyMoves` is the bank's side of the same transaction; `settled` is told of each closing afterwards. */
  constructor(applyMoves: (moves: readonly Move[]) => void, settled: (closing: Closing) => void) {
    this.#applyMoves = applyMoves;
    this.#settled = settled;
  }

  /** One transaction. */
  deliver(closings: readonly Closing[]): void {
    const added = closings.filter(({ requestId }) => !this.#requestIds.has(requestId));
    for (const { requestId } of added) this.#requestIds.add(requestId);
    this.#applyMoves(added.flatMap(({ moves }) => moves));
    for (const closing of added) this.#settled(closing);
  }
}
