/**
 * Explains what `route.ts` would do with a request, by the same rules, without doing it: nothing is drawn. Where chance
 * decides, the likeliest order is shown. What it costs does not matter.
 */
import { orderTargets, stickyKey } from "./balance.ts";
import type { ExplainedBalance, ExplainedTarget, RouteExplanation } from "./explanation.ts";
import { judge, refusalOf, type Judged, type RouteDeps, type RouteTerms } from "./judge.ts";
import { createLot, type Lot } from "./lot.ts";
import { describeNeeds, needBits } from "./needs.ts";
import type { PlanRequest, Target } from "./plan.ts";
import { narrow } from "./requirements.ts";

export function explainRoute(terms: RouteTerms, deps: RouteDeps, request: PlanRequest): RouteExplanation {
  const { view, dialect } = request;
  const judged = judge(terms, deps, request);
  const able = judged.flatMap(({ candidate, target, isAble }) =>
    isAble && target !== null ? [{ candidate, target }] : [],
  );
  const lot = createLot(narrow(able, request, terms, deps));
  const order = orderTargets(lot, terms.balance, request, { load: deps.load, random: () => 0 });
  const shares = isByWeight(terms, request) ? lot : null;
  const explained = judged.map((each) => explainTarget(each, order, shares, deps, dialect.name));
  return {
    model: view.model,
    operation: dialect.operation,
    dialect: dialect.name,
    needs: describeNeeds(needBits(view.needs)),
    requires: [...new Set([...terms.requires, ...request.requires])],
    inputTokens: deps.countInput(view.document.bytes),
    maxOutputTokens: view.maxOutputTokens,
    balance: explainBalance(terms, lot, request),
    targets: explained.toSorted((a, b) => (a.place ?? Infinity) - (b.place ?? Infinity) || 0),
    refusal: order.length > 0 ? null : explainRefusal(terms, judged),
    policy: terms.policy,
  };
}

function isByWeight({ balance }: RouteTerms, request: PlanRequest): boolean {
  return balance === "weighted" || (balance === "sticky" && stickyKey(request) === null);
}

function explainTarget(
  { candidate, target, reasons }: Judged,
  order: readonly Target[],
  shares: Lot | null,
  { load }: RouteDeps,
  dialectIn: string,
): ExplainedTarget {
  const { name, isFallback, weight, tags, contextTokens, maxOutputTokens, timeouts, queue } = candidate;
  const place = target === null ? 0 : order.findIndex((each) => each === target) + 1;
  const hasShare = shares?.own.some((member) => member.candidate === candidate) ?? false;
  return {
    name,
    place: place === 0 ? null : place,
    isFallback,
    weight,
    sharePercent: shares !== null && hasShare ? (100 * weight) / shares.totalWeight : null,
    load: load(name),
    dialect: target?.dialect ?? null,
    isTranslated: target !== null && target.dialect !== dialectIn,
    tags,
    contextTokens,
    maxOutputTokens,
    timeouts,
    queue,
    reasons: reasons.map(({ kind, text }) => ({ kind, text })),
  };
}

function explainBalance({ balance }: RouteTerms, lot: Lot, request: PlanRequest): ExplainedBalance | null {
  if (lot.own.length < 2) return null;
  switch (balance) {
    case "weighted":
      return { by: balance, decision: "Drawn by weight for each request; the likeliest order is shown." };
    case "least-loaded":
      return {
        by: balance,
        decision: "The one with the least load for its weight, as things stand; by weight where they are equal.",
      };
    case "sticky":
      return { by: balance, decision: decideSticky(request) };
  }
}

function decideSticky(request: PlanRequest): string {
  if (request.tenantId === null) {
    return "The prompt's beginning and the tenant choose; without a tenant, the likeliest order is shown.";
  }
  if (stickyKey(request) === null)
    return "The request has no prompt to tell by: drawn by weight; the likeliest order is shown.";
  return "The prompt's beginning chooses, or the request's own prompt_cache_key: what begins alike goes there, too.";
}

function explainRefusal(terms: RouteTerms, judged: readonly Judged[]): RouteExplanation["refusal"] {
  const { code, message } = refusalOf(terms, judged);
  return { code, message };
}
