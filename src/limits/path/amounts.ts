/** What a request holds, needs more of, and has used of an allowance, in the unit of its meter. */
import type { Amount } from "../../storage/escrow/bank.ts";
import type { Allowance } from "../allowance.ts";
import type { Demand, Estimate } from "../limits.ts";

export function holdOf({ meter, policy }: Allowance, estimate: Estimate): Amount {
  switch (meter) {
    case "money":
      return policy === "strict" ? estimate.worst.costNanoUsd : estimate.expected.costNanoUsd;
    case "tokens":
      return BigInt(policy === "strict" ? estimate.worst.tokens : estimate.expected.tokens);
    case "requests":
    case "slots":
      return 1n;
  }
}

/** In the order of the allowances. */
export function holdsOf(allowances: readonly Allowance[], estimate: Estimate): Amount[] {
  const holds: Amount[] = [];
  for (const allowance of allowances) holds.push(holdOf(allowance, estimate));
  return holds;
}

/** Whether what is held of it is a first slice only. */
export function isGrowing({ meter, policy }: Allowance): boolean {
  return policy === "expected" && (meter === "money" || meter === "tokens");
}

/** Whether what is held of it is the worst case. */
export function isStrict({ meter, policy }: Allowance): boolean {
  return policy === "strict" && (meter === "money" || meter === "tokens");
}

/** Zero where it does not grow. */
export function growthOf(allowance: Allowance, more: Demand): Amount {
  if (!isGrowing(allowance)) return 0n;
  return allowance.meter === "money" ? more.costNanoUsd : BigInt(more.tokens);
}

/** `null`: nothing reached a provider. A slot is not used up: it is given back. */
export function usedOf({ meter }: Allowance, used: Demand | null): Amount {
  if (used === null) return 0n;
  switch (meter) {
    case "money":
      return used.costNanoUsd;
    case "tokens":
      return BigInt(used.tokens);
    case "requests":
      return 1n;
    case "slots":
      return 0n;
  }
}
