/** The candidates of a route with all that speaks against each: what a refusal tells, and what an explanation shows. */
import { HeadgateError } from "../kernel/errors.ts";
import type { Balance, BalanceDeps } from "./balance.ts";
import type { Candidate } from "./candidate.ts";
import { needBits } from "./needs.ts";
import type { PlanRequest, RoutePolicy, Target } from "./plan.ts";
import {
  requestReasons,
  standingReasons,
  type Reason,
  type RequirementDeps,
  type Requirements,
} from "./requirements.ts";

export interface RouteTerms extends Requirements {
  /** As callers write it. */
  readonly name: string;
  /** The route's own, then its fallbacks. */
  readonly candidates: readonly Candidate[];
  readonly balance: Balance;
  readonly policy: RoutePolicy;
}

export interface RouteDeps extends RequirementDeps, BalanceDeps {}

export interface Judged {
  readonly candidate: Candidate;
  readonly target: Target | null;
  /** Whether it can serve requests of this kind: what speaks against it, if anything, is in this very request. */
  readonly isAble: boolean;
  readonly reasons: readonly Reason[];
}

export function judge(terms: RouteTerms, deps: RouteDeps, request: PlanRequest): readonly Judged[] {
  const { dialect, view } = request;
  const bits = needBits(view.needs);
  return terms.candidates.map((candidate) => {
    const target = candidate.target(dialect.operation, dialect.name);
    const standing = standingReasons(candidate, target, terms, dialect.operation, bits);
    const own = target === null ? [] : requestReasons({ candidate, target }, request, terms, deps);
    return { candidate, target, isAble: standing.length === 0, reasons: [...standing, ...own] };
  });
}

/** What a request is refused with that none of them can serve. */
export function refusalOf({ name }: RouteTerms, judged: readonly Judged[]): HeadgateError {
  const offered = judged.filter(({ candidate }) => candidate.weight > 0 || candidate.isFallback);
  const failures = offered.map(({ reasons }) => soleFailure(reasons));
  const [first = null] = failures;
  if (first !== null && failures.every((failure) => failure !== null)) return first;
  const sentences = offered.map(({ candidate, reasons }) => `${candidate.name} ${reasons.map(textOf).join(", and ")}`);
  const why = sentences.length === 0 ? "every target has weight 0" : sentences.join("; ");
  return new HeadgateError(
    "unsupported_capability",
    `No target of model ${JSON.stringify(name)} can serve this request: ${why}.`,
    { param: "model" },
  );
}

/** Where one fact alone speaks against the candidate, its own failure; estimates do not count. */
function soleFailure(reasons: readonly Reason[]): HeadgateError | null {
  const facts = reasons.filter(({ kind }) => kind !== "context" && kind !== "output");
  return facts.length === 1 ? (facts[0]?.failure ?? null) : null;
}

function textOf({ text }: Reason): string {
  return text.replace(/\.$/, "");
}
