/**
 * The bank as one process uses it: what its owners were granted is given back for good only when everything that it
 * closed is delivered, because until then some of it is spent.
 */
import type { Bank } from "../escrow/bank.ts";

export interface OwnBank {
  readonly bank: Bank;
  /** Finishes the owners that nobody has finished. */
  finishAll(): Promise<void>;
}

/** `delivered` resolves when everything that is closed so far has reached the bank's database. */
export function createOwnBank(bank: Bank, delivered: () => Promise<void>): OwnBank {
  const open = new Set<string>();

  async function finish(ownerIds: readonly string[]): Promise<void> {
    await delivered();
    await bank.finish(ownerIds);
    for (const ownerId of ownerIds) open.delete(ownerId);
  }

  return {
    bank: {
      ...bank,
      register(ownerId, instanceId, leaseMs) {
        open.add(ownerId);
        return bank.register(ownerId, instanceId, leaseMs);
      },
      finish,
    },
    finishAll: () => finish([...open]),
  };
}
