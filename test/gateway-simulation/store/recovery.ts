/** What a process that starts does first about one that died: as `src/storage/recovery.ts` does it in the real store. */
import { closeKilled } from "../../../src/storage/killed.ts";
import type { Bank } from "../../../src/storage/escrow/bank.ts";
import type { Books } from "./books.ts";

export interface DeadProcess {
  readonly instanceId: string;
  /** Its owners at the bank. */
  readonly ownerIds: readonly string[];
}

/** Charges what it held as it was held, and gives back what it had been granted. Rejects while the bank is away. */
export async function recover(
  { instanceId, ownerIds }: DeadProcess,
  books: Books,
  bank: Pick<Bank, "finish">,
  wallMs: number,
): Promise<void> {
  const held = [...books.holds.values()].filter(({ attemptId }) => books.instances.get(attemptId) === instanceId);
  for (const closing of closeKilled(held, wallMs)) books.settle(closing);
  await bank.finish(ownerIds);
}
