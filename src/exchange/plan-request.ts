/** From a caller's request to the targets that can serve it, and the explanation of which they would be. */
import { parseTags, tagNotation } from "../config/tags.ts";
import type { RequestView } from "../dialects/dialect.ts";
import { HeadgateError } from "../kernel/errors.ts";
import { isModelAllowed } from "../routing/allow-list.ts";
import type { RouteExplanation } from "../routing/explanation.ts";
import type { Plan, PlanRequest } from "../routing/plan.ts";
import type { Principal } from "../tenancy/principal.ts";
import type { Exchange } from "./exchange.ts";
import { refuseForbiddenOthers } from "./serving/allowed.ts";

/** What a plan is made of besides the request itself. */
export interface Planning extends Pick<Exchange, "snapshot" | "dialect" | "startedAtMs"> {
  readonly incoming: Pick<Exchange["incoming"], "headers">;
}

export type PlanningPrincipal = Pick<Principal, "modelAllowList" | "payer">;

const requireTagsHeader = "x-headgate-require-tags";

const noTags: readonly string[] = [];

/** Throws `model_not_found`, `unsupported_capability`, `model_not_allowed`, `invalid_header`. */
export function planRequest(planning: Planning, view: RequestView, principal: PlanningPrincipal): Plan {
  const plan = planning.snapshot.router.plan(toPlanRequest(planning, view, principal));
  const { modelAllowList } = principal;
  if (modelAllowList !== null) refuseForbidden(modelAllowList, view, plan.targets);
  return plan;
}

/** What the plan would be, also where it would be refused. Throws `model_not_found`, `model_not_allowed`, `invalid_header`. */
export function explainRequest(planning: Planning, view: RequestView, principal: PlanningPrincipal): RouteExplanation {
  const explanation = planning.snapshot.router.explain(toPlanRequest(planning, view, principal));
  const { modelAllowList } = principal;
  if (modelAllowList !== null) {
    const placed = explanation.targets.filter(({ place }) => place !== null);
    refuseForbidden(modelAllowList, view, placed.length > 0 ? placed : explanation.targets);
  }
  return explanation;
}

/** Tags that a target must have to serve the request, by its route and by its caller. Throws `invalid_header`. */
export function requiredTags({ snapshot, incoming }: Planning, model: string): readonly string[] {
  const { models } = snapshot.config;
  const requires = Object.hasOwn(models, model) ? (models[model]?.requires ?? noTags) : noTags;
  const header = incoming.headers[requireTagsHeader];
  return header === undefined ? requires : [...requires, ...readTags(header)];
}

function toPlanRequest(
  { dialect, incoming, startedAtMs }: Planning,
  view: RequestView,
  { modelAllowList, payer }: PlanningPrincipal,
): PlanRequest {
  const header = incoming.headers[requireTagsHeader];
  return {
    view,
    dialect,
    tenantId: payer.tenantId,
    requires: header === undefined ? noTags : readTags(header),
    modelAllowList,
    atMs: startedAtMs,
  };
}

function readTags(header: string | readonly string[]): readonly string[] {
  const tags = parseTags(typeof header === "string" ? header : header.join(","));
  if (tags !== null) return tags;
  throw new HeadgateError(
    "invalid_header",
    `${requireTagsHeader} must be tags separated by commas, each of ${tagNotation}.`,
    { param: requireTagsHeader },
  );
}

function refuseForbidden(
  allowList: readonly string[],
  view: RequestView,
  targets: readonly { readonly name: string }[],
): void {
  const asked = view.model;
  const names = targets.map(({ name }) => name);
  if (isModelAllowed(allowList, asked, names)) {
    refuseForbiddenOthers(allowList, view, names);
    return;
  }
  throw new HeadgateError(
    "model_not_allowed",
    `This API key may not use the model ${JSON.stringify(asked)}. GET /v1/models lists those it may use.`,
    { param: "model" },
  );
}
