/** What becomes of an amount in suspense: it is available again, or it counts as spent. */
export type SuspenseDecision = "release" | "spend";

export const suspenseDecisions: readonly SuspenseDecision[] = ["release", "spend"];
