/** Which requests an allowance counts, and as whose. */
import { matchesWildcard } from "../../kernel/wildcard.ts";
import type { Payer } from "../../storage/records.ts";
import type { Allowance } from "../allowance.ts";
import type { RequestScope } from "../limits.ts";

/** Whether it can count requests of the payer at all. */
export function concernsPayer({ scope }: Allowance, payer: Payer): boolean {
  return (
    scope.tenantId === payer.tenantId &&
    (scope.projectId === null || scope.projectId === payer.projectId) &&
    (scope.keyId === null || scope.keyId === payer.keyId)
  );
}

/** Whether that depends on more than the payer: on model or operation. */
export function isNarrowed({ models, operation }: Allowance): boolean {
  return models !== null || operation !== null;
}

export function isOfEndUsers({ scope }: Allowance): boolean {
  return scope.kind === "end-user";
}

/** Of an allowance that concerns the payer. A request that names no end user is counted by no allowance of end users. */
export function countsRequest(allowance: Allowance, request: RequestScope): boolean {
  const { scope, operation } = allowance;
  if (operation !== null && operation !== request.operation) return false;
  if (scope.kind === "end-user") {
    if (request.endUser === null) return false;
    if (scope.endUser !== null && scope.endUser !== request.endUser) return false;
  }
  return fitsModels(allowance, request);
}

/** Whom it counts the request for where it counts each one apart; else empty. */
export function subjectOf({ scope }: Allowance, { payer, endUser }: RequestScope): string {
  switch (scope.kind) {
    case "tenant":
      return "";
    case "project":
      return scope.projectId === null ? payer.projectId : "";
    case "key":
      return scope.keyId === null ? payer.keyId : "";
    case "end-user":
      return scope.endUser === null ? (endUser ?? "") : "";
  }
}

function fitsModels({ models }: Allowance, { modelAsked, modelTarget, otherTargets = none }: RequestScope): boolean {
  if (models === null) return true;
  const names = [modelAsked, modelTarget, ...otherTargets];
  return models.some((pattern) => names.some((name) => matchesWildcard(pattern, name)));
}

const none: readonly string[] = [];
