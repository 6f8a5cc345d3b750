/** How much of everything happened, so that one sees that it does. */
export type CountEntries = readonly (readonly [what: string, count: number])[];

export class Counts {
  readonly #counts = new Map<string, number>();

  add(what: string, count = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
  }

  addAll(entries: CountEntries): void {
    for (const [what, count] of entries) this.add(what, count);
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  /** In the order of their names. */
  entries(): CountEntries {
    return [...this.#counts].toSorted(([one], [other]) => (one < other ? -1 : 1));
  }
}
