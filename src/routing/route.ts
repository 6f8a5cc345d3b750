/**
 * A route: the candidates behind one name and what is required of them. For each kind of request (the caller's dialect,
 * and those of its needs that some candidate lacks) it works out once who can serve it and in which orders: a lot. What
 * a single request requires besides is looked at only where it can exclude somebody, which a few numbers of the lot
 * tell. So a usual request finds its targets with three lookups and one choice, and nothing is made for it.
 */
import type { DialectName } from "../dialects/dialect.ts";
import { orderTargets } from "./balance.ts";
import type { Candidate } from "./candidate.ts";
import { explainRoute } from "./explain.ts";
import type { RouteExplanation } from "./explanation.ts";
import { judge, refusalOf, type RouteDeps, type RouteTerms } from "./judge.ts";
import { createLot, type Lot, type Member } from "./lot.ts";
import { needBits } from "./needs.ts";
import type { PlanRequest, RoutePolicy, Target } from "./plan.ts";
import { bytesThatFit, isPlain, narrow, standingReasons } from "./requirements.ts";

export interface Route {
  readonly policy: RoutePolicy;
  /**
   * Best first, never empty. Throws `unsupported_capability` naming what each candidate is missing, or the one reason
   * that all have: `unsupported_parameter`, `unpriced_model`, ….
   */
  choose(request: PlanRequest): readonly Target[];
  explain(request: PlanRequest): RouteExplanation;
}

/** A lot and what tells whether all its members can serve a request. */
interface StandingLot {
  readonly lot: Lot;
  readonly isTranslating: boolean;
  /** Larger bodies may be too long for a member; `Infinity` where there is no other. */
  readonly bodyBytesMax: number;
  /** The same of bounds on output. */
  readonly outputTokensMax: number;
  /** Of the members that were left of it last: what leaves one out for a request mostly does so for the next. */
  narrowed: Lot | null;
}

export function createRoute(terms: RouteTerms, deps: RouteDeps): Route {
  const { candidates, ceiling, balance, policy } = terms;
  const relevantBits = candidates.reduce((bits, { lacks }) => bits | lacks, 0);
  const looksAtPrices = ceiling !== null || deps.refusesUnpriced;
  /** By the caller's dialect, which serves one operation, and the bits of the needs. */
  const lots = new Map<DialectName, Map<number, StandingLot>>();

  function lotFor(request: PlanRequest): StandingLot {
    const bits = needBits(request.view.needs) & relevantBits;
    const known = lots.get(request.dialect.name)?.get(bits);
    if (known !== undefined) return known;
    const byNeeds = lots.get(request.dialect.name) ?? new Map<number, StandingLot>();
    lots.set(request.dialect.name, byNeeds);
    const fresh = createStandingLot(terms, request, bits);
    byNeeds.set(bits, fresh);
    return fresh;
  }

  function mayExclude({ isTranslating, bodyBytesMax, outputTokensMax }: StandingLot, request: PlanRequest): boolean {
    const { view, requires } = request;
    return (
      looksAtPrices ||
      requires.length > 0 ||
      view.document.bytes.byteLength > bodyBytesMax ||
      (view.maxOutputTokens ?? 0) > outputTokensMax ||
      (isTranslating && !isPlain(request))
    );
  }

  return {
    policy,
    choose(request) {
      const standing = lotFor(request);
      const { lot: whole } = standing;
      const members = mayExclude(standing, request) ? narrow(whole.members, request, terms, deps) : whole.members;
      const lot = members === whole.members ? whole : narrowedLot(standing, members);
      const targets = orderTargets(lot, balance, request, deps);
      if (targets.length === 0) throw refusalOf(terms, judge(terms, deps, request));
      return targets;
    },
    explain: (request) => explainRoute(terms, deps, request),
  };
}

function createStandingLot(terms: RouteTerms, { dialect }: PlanRequest, bits: number): StandingLot {
  const members: Member[] = [];
  for (const candidate of terms.candidates) {
    const target = candidate.target(dialect.operation, dialect.name);
    const reasons = standingReasons(candidate, target, terms, dialect.operation, bits);
    if (target !== null && reasons.length === 0) members.push({ candidate, target });
  }
  const alone = members.length < 2;
  const smallest = (sizeOf: (candidate: Candidate) => number | null): number =>
    alone ? Infinity : Math.min(...members.map(({ candidate }) => sizeOf(candidate) ?? Infinity));
  return {
    lot: createLot(members),
    isTranslating: members.some(({ target }) => target.dialect !== dialect.name),
    bodyBytesMax: bytesThatFit(smallest(({ contextTokens }) => contextTokens)),
    outputTokensMax: smallest(({ maxOutputTokens }) => maxOutputTokens),
    narrowed: null,
  };
}

function narrowedLot(standing: StandingLot, members: readonly Member[]): Lot {
  const { narrowed } = standing;
  if (narrowed !== null && areSame(narrowed.members, members)) return narrowed;
  standing.narrowed = createLot(members);
  return standing.narrowed;
}

function areSame(some: readonly Member[], others: readonly Member[]): boolean {
  if (some.length !== others.length) return false;
  for (let index = 0; index < some.length; index++) if (some[index] !== others[index]) return false;
  return true;
}
