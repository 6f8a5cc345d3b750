/**
 * What the bodies of all open requests take of the memory together. Bytes are counted as they arrive, since a length
 * that is only announced takes nothing, and given back when their exchange is over.
 */
export class BodyBudget {
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Whether `more` fit below `limit` for a body that has `own` bytes already. A body that has the memory to itself
   * always fits: its size is bounded by its own limit.
   */
  fits(own: number, more: number, limit: number): boolean {
    return this.#bytes === own || this.#bytes + more <= limit;
  }

  take(bytes: number): void {
    this.#bytes += bytes;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}
