/**
 * What a request requires of a candidate, and what a candidate objects to. Objections of one kind depend on the
 * request's kind alone and are looked up once for it (`standingReasons`); those of the other on the single request.
 *
 * Facts leave a candidate out: capabilities, tags, prices, what its dialect can carry. Estimates do not leave a request
 * without a target: one that seems too small for the prompt or for the answer stands back only where another does not,
 * since the provider, who counts, may know better.
 */
import type { Operation } from "../dialects/dialect.ts";
import { HeadgateError } from "../kernel/errors.ts";
import type { Candidate } from "./candidate.ts";
import type { Member } from "./lot.ts";
import { describeNeeds } from "./needs.ts";
import type { PlanRequest, Target } from "./plan.ts";
import type { PriceCeiling, RoutedPrice } from "./price-ceiling.ts";

export type ReasonKind =
  | "weight"
  | "operation"
  | "capability"
  | "tag"
  | "price"
  | "unpriced"
  | "dialect"
  | "context"
  | "output";

/** Why a candidate does not serve a request. */
export interface Reason {
  readonly kind: ReasonKind;
  /** The rest of a sentence that begins with the candidate's name. */
  readonly text: string;
  /** What the caller is told where nothing else stands in the way; `null`: `unsupported_capability` with all reasons. */
  readonly failure: HeadgateError | null;
}

/** What a route requires of its candidates. */
export interface Requirements {
  /** Tags. */
  readonly requires: readonly string[];
  readonly ceiling: PriceCeiling | null;
}

/** What is known elsewhere. */
export interface RequirementDeps {
  readonly priceOf: (provider: string, model: string, serviceTier: string | null, atMs: number) => RoutedPrice | null;
  /** Whether models without a price are not called (`prices.unknownModel: refuse`). */
  readonly refusesUnpriced: boolean;
  /** Why the request cannot be said in the target's dialect, by trying; `null`: it can. */
  readonly untranslatable: (target: Target, request: PlanRequest) => HeadgateError | null;
  /** About how many tokens a body has. */
  readonly countInput: (body: Uint8Array) => number;
}

/**
 * A prompt of text has a token for every 16 bytes at the least: about four are usual, and only long runs of blanks and
 * the like come near this. A prompt with media is not judged, since a medium may have any number of bytes a token.
 */
const TOKENS_USUAL_TO_LEAST = 4;
const BYTES_PER_TOKEN_MAX = 16;

/** Objections to every request of this operation, this dialect and these needs. */
export function standingReasons(
  candidate: Candidate,
  target: Target | null,
  { requires }: Requirements,
  operation: Operation,
  bits: number,
): readonly Reason[] {
  const reasons: Reason[] = [];
  const { weight, isFallback, lacks, tags } = candidate;
  if (weight === 0 && !isFallback) reasons.push(reason("weight", "takes no requests, for its weight is 0"));
  if (target === null) reasons.push(reason("operation", `does not serve ${operation}`));
  const lacking = describeNeeds(lacks & bits);
  if (lacking.length > 0) reasons.push(reason("capability", `does not support ${lacking.join(" or ")}`));
  const missing = missingTags(tags, requires);
  if (missing !== null) reasons.push(missing);
  return reasons;
}

type Rule = (member: Member, request: PlanRequest, requirements: Requirements, deps: RequirementDeps) => Reason | null;

const facts: readonly Rule[] = [tagObjection, priceObjection, dialectObjection];

const estimates: readonly Rule[] = [contextObjection, outputObjection];

/** Those that can serve this very request; the same list where all can. */
export function narrow(
  members: readonly Member[],
  request: PlanRequest,
  requirements: Requirements,
  deps: RequirementDeps,
): readonly Member[] {
  let kept = members;
  for (const rule of facts) kept = withoutObjection(kept, rule, request, requirements, deps);
  for (const rule of estimates) {
    const fitting = withoutObjection(kept, rule, request, requirements, deps);
    if (fitting.length > 0) kept = fitting;
  }
  return kept;
}

function withoutObjection(
  members: readonly Member[],
  rule: Rule,
  request: PlanRequest,
  requirements: Requirements,
  deps: RequirementDeps,
): readonly Member[] {
  let kept: Member[] | null = null;
  for (const [index, member] of members.entries()) {
    if (rule(member, request, requirements, deps) === null) kept?.push(member);
    else kept ??= members.slice(0, index);
  }
  return kept ?? members;
}

/** All objections of a member to this very request. */
export function requestReasons(
  member: Member,
  request: PlanRequest,
  requirements: Requirements,
  deps: RequirementDeps,
): readonly Reason[] {
  return [...facts, ...estimates]
    .map((rule) => rule(member, request, requirements, deps))
    .filter((found) => found !== null);
}

/** Bodies of at most this many bytes fit into a window of so many tokens. */
export function bytesThatFit(contextTokens: number): number {
  return contextTokens * BYTES_PER_TOKEN_MAX;
}

function reason(kind: ReasonKind, text: string, failure: HeadgateError | null = null): Reason {
  return { kind, text, failure };
}

function missingTags(tags: readonly string[], required: readonly string[]): Reason | null {
  const missing = required.filter((tag) => !tags.includes(tag));
  if (missing.length === 0) return null;
  return reason("tag", `lacks the ${missing.length === 1 ? "tag" : "tags"} ${missing.join(" and ")}`);
}

/** To what the request requires beyond its route. */
function tagObjection({ candidate }: Member, request: PlanRequest, { requires }: Requirements): Reason | null {
  if (request.requires.length === 0) return null;
  return missingTags(
    candidate.tags,
    request.requires.filter((tag) => !requires.includes(tag)),
  );
}

function priceObjection(
  { candidate: { name, provider, model } }: Member,
  { view, atMs }: PlanRequest,
  { ceiling }: Requirements,
  { priceOf, refusesUnpriced }: RequirementDeps,
): Reason | null {
  if (ceiling === null && !refusesUnpriced) return null;
  const price = priceOf(provider, model, view.serviceTier, atMs);
  if (price === null && refusesUnpriced) {
    const failure = new HeadgateError(
      "unpriced_model",
      `The model ${name} has no price, and this gateway refuses models without one. The operator adds one under prices.overrides.`,
      { param: "model" },
    );
    return reason("unpriced", "has no price, and this gateway refuses models without one", failure);
  }
  const objection = ceiling?.objection(price, view.document.bytes) ?? null;
  return objection === null ? null : reason("price", objection);
}

function dialectObjection(
  { target }: Member,
  request: PlanRequest,
  _requirements: Requirements,
  { untranslatable }: RequirementDeps,
): Reason | null {
  if (target.dialect === request.dialect.name || isPlain(request)) return null;
  const failure = untranslatable(target, request);
  return failure === null ? null : reason("dialect", `cannot be told all of it: ${failure.message}`, failure);
}

/** Whether a translation need not be tried. */
export function isPlain({ dialect, view }: PlanRequest): boolean {
  return dialect.inbound?.translation?.isPlain(view) ?? false;
}

function contextObjection(
  { candidate: { contextTokens } }: Member,
  { dialect, view: { document, needs } }: PlanRequest,
  _requirements: Requirements,
  { countInput }: RequirementDeps,
): Reason | null {
  const { bytes } = document;
  if (contextTokens === null || bytes.byteLength <= bytesThatFit(contextTokens)) return null;
  // Each input of an embeddings request has a window of its own.
  if (dialect.operation !== "chat" || needs.images || needs.audio || needs.documents) return null;
  const least = Math.floor(countInput(bytes) / TOKENS_USUAL_TO_LEAST);
  if (least <= contextTokens) return null;
  return reason("context", `reads at most ${contextTokens} tokens, and the request has ${least} at the least`);
}

function outputObjection(
  { candidate: { maxOutputTokens: most }, target }: Member,
  { dialect, view: { maxOutputTokens: bound } }: PlanRequest,
): Reason | null {
  if (most === null || bound === null || bound <= most) return null;
  // A translation lowers it.
  if (target.dialect !== dialect.name && dialect.inbound?.demandsOutputBound === true) return null;
  return reason("output", `writes at most ${most} tokens, and the request allows ${bound}`);
}
