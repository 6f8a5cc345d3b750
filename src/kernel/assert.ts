/** Assertions are for our own bugs: a failed one is never the caller's, the operator's or a provider's fault. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/** Closes a `switch` over a union: the compiler proves it unreachable, this line reports when the proof was wrong. */
export function unreachable(value: never, what: string): never {
  throw new AssertionFailure(`${what}: unexpected ${JSON.stringify(value)}`);
}

class AssertionFailure extends Error {
  override readonly name = "AssertionFailure";
}
