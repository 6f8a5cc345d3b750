/** Bugs in the process's side: paths, purses, tellers, leases, reservations. */
import type { Mutation } from "./workshop.ts";

export const processMutations: readonly Mutation[] = [];
