/** Bugs in what processes leave to each other: to the next one on the machine, and to those beside them. */
import type { Mutation } from "../../support/seeds/workshop.ts";

const killed = "src/storage/killed.ts";
const claims = "src/exchange/sharing/keys/claims.ts";

export const processMutations: readonly Mutation[] = [
  {
    name: "what a dead process held is not taken from allowances",
    file: killed,
    find: "({ ownerId, accountId, fromGrant: amount, overdraft: 0n })",
    replace: "({ ownerId, accountId, fromGrant: amount - amount, overdraft: 0n })",
  },
  {
    name: "what a dead process held costs nothing",
    file: killed,
    find: "costNanoUsd: hold.heldCostNanoUsd,",
    replace: "costNanoUsd: zeroUsd,",
  },
  {
    name: "of a dead process's calls the last is charged",
    file: killed,
    find: "entries: ofRequest.map((hold) => worstCharge(hold, nowMs)),",
    replace: "entries: ofRequest.slice(-1).map((hold) => worstCharge(hold, nowMs)),",
  },
  {
    name: "a key that another process has claimed is claimed again",
    file: claims,
    find: 'if (result.state === "claimed") {',
    replace: 'if (result.state !== "answered") {',
  },
];
