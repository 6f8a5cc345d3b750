/** How much of everything happened, so that one sees that it does. */
export class Counts {
  readonly #counts = new Map<string, number>();

  add(what: string, count = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
  }

  addAll(counts: Counts): void {
    for (const [what, count] of counts.#counts) this.add(what, count);
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  /** In the order of their names. */
  entries(): readonly (readonly [what: string, count: number])[] {
    return [...this.#counts].toSorted(([one], [other]) => (one < other ? -1 : 1));
  }
}
