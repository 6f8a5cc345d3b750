/** A broken invariant of a simulation, by the name that it has in the simulation's list. */
export class BrokenInvariant<Name extends string> extends Error {
  override readonly name = "Violation";
  readonly invariant: Name;

  constructor(invariant: Name, detail: string) {
    super(detail);
    this.invariant = invariant;
  }
}

/** What was thrown, with its causes. */
export function describeThrown(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause === undefined ? "" : `\ncaused by ${describeThrown(thrown.cause)}`;
  return `${thrown.stack ?? thrown.message}${cause}`;
}
