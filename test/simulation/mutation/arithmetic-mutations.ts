/** Bugs in the arithmetic of accounts and grants. */
import type { Mutation } from "../../support/seeds/workshop.ts";

const account = "src/storage/escrow/account.ts";
const grant = "src/storage/escrow/grant.ts";

export const arithmeticMutations: readonly Mutation[] = [
  {
    name: "a draw grants what is not available",
    file: account,
    find: "if (need > availableAmount) return 0n;",
    replace: "",
  },
  {
    name: "a draw forgets what is in suspense",
    file: account,
    find: "return standing.limit - standing.spent - standing.granted - standing.suspense;",
    replace: "return standing.limit - standing.spent - standing.granted;",
  },
  {
    name: "fencing forgets the suspense",
    file: account,
    find: "return { ...taken, suspense: state.suspense + amount };",
    replace: "return taken;",
  },
  {
    name: "a settlement forgets its overdraft",
    file: account,
    find: "spent: state.spent + move.fromGrant + move.overdraft };",
    replace: "spent: state.spent + move.fromGrant };",
  },
  {
    name: "a settlement leaves its grant as it was",
    file: grant,
    find: "grant: { ...grant, amount: grant.amount - fromGrant },",
    replace: "grant,",
  },
  {
    name: "a late settlement takes from granted instead of suspense",
    file: grant,
    find: "account: settle(account, { fromGrant, overdraft }, grant.suspended),",
    replace: "account: settle(account, { fromGrant, overdraft }, false),",
  },
  {
    name: "a repeated operation is executed again",
    file: grant,
    find: "if (sequence === grant.sequence && sequence > 0) return true;",
    replace: "if (sequence === grant.sequence && sequence > 0) return false;",
  },
  {
    name: "a rate drains twice as fast",
    file: account,
    find: "const drained = (BigInt(elapsedMs) * amount) / BigInt(perMs);",
    replace: "const drained = (2n * BigInt(elapsedMs) * amount) / BigInt(perMs);",
  },
  {
    name: "a rate never drains",
    file: account,
    find: "const drained = (BigInt(elapsedMs) * amount) / BigInt(perMs);",
    replace: "const drained = 0n * BigInt(elapsedMs) * amount;",
  },
  {
    name: "a rate drains the same time twice",
    file: account,
    find: "drainedAtMs: state.drainedAtMs + Number(ceilDivide(drained * BigInt(perMs), amount)),",
    replace: "drainedAtMs: state.drainedAtMs,",
  },
  {
    name: "overrides do not count",
    file: "src/storage/escrow/terms.ts",
    find: "if (override !== undefined) return override.limit_amount;",
    replace: "",
  },
  {
    name: "what was used in a window before anything was drawn of it is not counted",
    file: "src/storage/escrow/account-ids.ts",
    find: "return span.startMs === startMs ? span.endMs : undefined;",
    replace: "return span.startMs === startMs ? undefined : span.endMs;",
  },
  {
    name: "what has leaked is given back once more",
    file: account,
    find: "if (released.drain === null || level >= 0n) return released;",
    replace: "return released;",
  },
];
