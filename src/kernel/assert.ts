/** Assertions are for our own bugs: a failed one is never the caller's, the operator's or a provider's fault. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

class AssertionFailure extends Error {
  override readonly name = "AssertionFailure";
}
