/** What must hold of the calls of one request together: they count as one request, and take one slot. */
import type { HeldAmount } from "../../../src/storage/escrow/bank.ts";
import type { Control } from "../model/control.ts";
import type { Asked } from "./asked.ts";
import type { Books } from "./books.ts";
import { isLenientRate } from "./holding-checks.ts";
import type { PathEntry } from "./path.ts";
import { Violation } from "./violation.ts";

/** Whether an earlier call of the request may count it there, as this one does not. */
export function isCarried(asked: Asked, { row, prefix }: PathEntry, held: readonly HeldAmount[]): boolean {
  if (row.meter !== "requests" && row.meter !== "slots") return false;
  return isOnEarlierPath(asked, prefix) && !held.some(({ accountId }) => accountId.startsWith(prefix));
}

export function isOnEarlierPath({ earlier }: Asked, prefix: string): boolean {
  return earlier.some(({ path }) => path.some((entry) => entry.prefix === prefix));
}

/** A later call counts the request only in accounts that do not count it already. */
export function checkCountedOnce(asked: Asked, held: readonly HeldAmount[], books: Books, control: Control): void {
  for (const entry of asked.path) {
    // A rate that does not refuse does not count what it would have refused.
    if (entry.row.meter !== "requests" || isLenientRate(entry, control)) continue;
    for (const { accountId } of held) {
      if (!accountId.startsWith(entry.prefix)) continue;
      const counting = asked.earlier.find(({ requestId }) =>
        books.heldBy(requestId).some((each) => each.accountId === accountId),
      );
      if (counting === undefined) continue;
      const say = `${asked.requestId} counts in ${accountId}`;
      throw new Violation("path", `${say}, where ${counting.requestId} has counted the same request`);
    }
  }
}
