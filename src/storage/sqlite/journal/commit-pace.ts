/**
 * Whether a commit waits for another turn of the event loop. It costs nearly as much for one operation as for ten: a lone
 * caller's is never held back for others', and under load a turn takes less time than what it brings saves.
 */
const WORTH_WAITING = 3;
const LENGTH_ENOUGH = 32;
const TURNS_MAX = 4;

export class CommitPace {
  #turns = 0;
  #lengthBefore = 0;

  /** To be asked in each turn. `length`: of what would be committed now. */
  waitsForMore(length: number): boolean {
    const waits =
      length > this.#lengthBefore && length >= WORTH_WAITING && length < LENGTH_ENOUGH && this.#turns < TURNS_MAX;
    this.#turns = waits ? this.#turns + 1 : 0;
    this.#lengthBefore = waits ? length : 0;
    return waits;
  }
}
