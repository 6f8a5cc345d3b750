/** What must hold when every request has ended, every journal is delivered and every process has stopped. */
import type { ModelBank } from "../model/bank.ts";
import type { Auditor } from "./auditor.ts";
import { Violation } from "./violation.ts";

/** `isLostInstance`: it lived on a machine that is gone for good; what its owners had stays in suspense. */
export function checkQuiescence(
  auditor: Auditor,
  bank: ModelBank,
  isLostInstance: (instanceId: string) => boolean,
): void {
  const isLost = (ownerId: string): boolean => {
    const instanceId = bank.instanceOf(ownerId);
    // Under an owner that never registered nothing was granted: what is held is of allowances that do not refuse.
    return instanceId === null || isLostInstance(instanceId);
  };
  if (auditor.waiting > 0)
    throw new Violation("quiescence", `${auditor.waiting} requests wait for a reservation still`);
  auditor.checkCounts();
  for (const { key, state, grants } of bank.accounts.values()) {
    if (state.granted !== 0n) throw new Violation("quiescence", `${key.accountId} has ${state.granted} granted still`);
    for (const [ownerId, { amount }] of grants) {
      if (amount === 0n || isLost(ownerId)) continue;
      throw new Violation(
        "quiescence",
        `${amount} of ${key.accountId} is in suspense for ${ownerId}, which has stopped`,
      );
    }
    for (const [ownerId, { held, undelivered }] of auditor.books.positionsOf(key.accountId)) {
      if (held + undelivered === 0n || isLost(ownerId)) continue;
      const say = `${held} is held and ${undelivered} undelivered of ${key.accountId}`;
      throw new Violation("quiescence", `${say} by ${ownerId}, which has stopped`);
    }
  }
}
