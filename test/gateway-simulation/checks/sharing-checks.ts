/**
 * Whether answers are shared by those who may share them and by nobody else: asked when a call leaves, which must not be
 * one that another request has made or is making, and when a request has an answer that is another's.
 */
import type { Config, ModelConfig } from "../../../src/config/config.ts";
import type { RequestRecord } from "../../../src/storage/records.ts";
import type { Request } from "../callers/request.ts";
import { meaningOf, similarityOf } from "../providers/meaning.ts";
import type { Look } from "./answer-checks.ts";
import { comparisonOf, type RequestRoll } from "./request-roll.ts";
import { Violation } from "./violation.ts";

export interface SharingFacts {
  readonly config: Config;
  readonly roll: RequestRoll;
  /** No commit ever fails or seems to. */
  readonly isStoreSound: boolean;
  /** There is one machine: nobody else can claim a key. */
  readonly isAlone: boolean;
  /** No clock is ever set: leases last as long as they shall. */
  readonly areClocksSound: boolean;
  /** By the gateway's clock, at a moment of the world. */
  readonly wallMs: (atMs: number) => number;
  readonly lookOf: (request: Request) => Look | null;
}

/** Vectors are compared in single precision. */
const INEXACT = 1e-4;

/** Whoever asks under a key makes no call while another's with the key is under way, nor once it is answered. */
export function judgeKey(request: Request, facts: SharingFacts): void {
  const { roll, isStoreSound, isAlone, areClocksSound, lookOf } = facts;
  const { idempotencyKey } = request.ask;
  if (idempotencyKey === null) return;
  for (const other of roll.all()) {
    if (other === request || other.ask.idempotencyKey !== idempotencyKey) continue;
    if (other.payer?.tenantId !== request.payer?.tenantId) continue;
    // Among processes it is claimed in the store, for a while.
    if (other.gateway !== request.gateway && !(isStoreSound && areClocksSound)) continue;
    const runs = other.overAtMs === null && !other.inbox.hasLeft && other.calls.length > 0;
    // What the store did not take the process has in memory.
    const isKept = isStoreSound || (isAlone && other.gateway === request.gateway);
    const isAnswered = isKept && lookOf(other) === "complete";
    if (!runs && !isAnswered) continue;
    const what = runs ? "is being answered" : "was answered";
    throw new Violation("shared", `${request.id} calls a provider although ${other.id} with its key ${what}.`);
  }
}

/** Whoever asks for what may be cached makes no call while an equal request is under way that began earlier. */
export function judgeFlight(request: Request, { config, roll }: SharingFacts): void {
  if (request.calls.length > 0 || wishOf(request, config) !== "use") return;
  const readAtMs = request.incoming.readAtMs ?? Infinity;
  for (const other of roll.askingTheSame(request)) {
    if (other === request || other.overAtMs !== null || other.inbox.hasLeft) continue;
    if (other.gateway !== request.gateway) continue;
    if (!areEqual(request, other) || wishOf(other, config) !== "use") continue;
    const isUnderWay = other.calls.some(({ beganAtMs, isOver, facts }) => {
      return beganAtMs < readAtMs && !isOver && !facts.behaviour.startsWith("floods");
    });
    if (!isUnderWay) continue;
    throw new Violation("shared", `${request.id} calls a provider although ${other.id}, its equal, is being answered.`);
  }
}

/** An answer that is another's is one that the request may have. Throws a `Violation`. */
export function judgeReuse(request: Request, look: Look, facts: SharingFacts): void {
  const { headers } = request.inbox;
  if (look !== "complete" && look !== "broken off") return;
  const sourceId = headers.get("x-headgate-answer-of");
  if (sourceId === undefined) {
    if (look === "complete" && request.calls.length === 0) throw wrong(request, "makes no call and says of nobody");
    return;
  }
  const source = facts.roll.find(sourceId);
  const isBorrowed = source !== null && facts.roll.sharersOf(request).includes(source);
  if (source === null || !isBorrowed) throw wrong(request, `has the answer of ${sourceId}, which is none of its own`);
  const how = headers.get("x-headgate-cache");
  const isReplayed = headers.get("idempotent-replayed") === "true";
  // Who joins or repeats a request may find that it had its answer from one in other words.
  if (how === "semantic" || request.ask.phrase !== source.ask.phrase) judgeMeaning(request, source, facts);
  if (how !== undefined && how !== "miss" && !isReplayed) judgeCached(request, source, facts, how !== "joined");
}

function judgeMeaning(request: Request, source: Request, { config }: SharingFacts): void {
  const { cache } = config.models[request.ask.model] ?? {};
  const [own, other] = [request, source].map(({ ask }) => meaningOf(ask.number, ask.phrase));
  const similarity = own === undefined || other === undefined ? 0 : similarityOf(own, other);
  if (cache?.mode === "semantic" && similarity >= cache.threshold - INEXACT) return;
  throw wrong(request, `has the answer of ${source.id}, which means something else (${similarity})`);
}

function judgeCached(request: Request, source: Request, facts: SharingFacts, isKept: boolean): void {
  const { config, wallMs } = facts;
  if (wishOf(request, config) !== "use") throw wrong(request, `has the answer of ${source.id} and did not want one`);
  if (request.payer?.projectId !== source.payer?.projectId) throw wrong(request, `has what ${source.id} was given`);
  if (!isKept || source.overAtMs === null) return;
  // Clocks may have been set while it was looked for, or kept.
  const foundAtMs = [request.incoming.readAtMs ?? 0, request.overAtMs ?? 0];
  const ageMs = Math.min(...foundAtMs.map(wallMs)) - Math.max(wallMs(source.startedMs), wallMs(source.overAtMs));
  const { ttlMs = 0 } = cacheOf(request, config) ?? {};
  const maxAgeS = request.ask.cacheWish?.maxAgeS ?? null;
  if (ageMs > Math.min(ttlMs, maxAgeS === null ? Infinity : maxAgeS * 1_000)) {
    throw wrong(request, `has the answer of ${source.id}, which is ${Math.round(ageMs)} ms old`);
  }
}

/**
 * What is given again costs nothing, and saves what it had cost, less what it cost to compare it. `costOf`: by the ledger,
 * of the request of that id. Throws a `Violation`.
 */
export function judgeCost(request: Request, record: RequestRecord, costOf: (requestId: string) => bigint): void {
  const { id, inbox } = request;
  const own = costOf(id);
  if (record.costNanoUsd !== own) {
    throw new Violation("record", `${id} costs ${own}, and its record says ${record.costNanoUsd}.`);
  }
  const sourceId = inbox.headers.get("x-headgate-answer-of");
  if (sourceId === undefined || record.ending !== "complete") return;
  const saved = costOf(sourceId) - costOf(comparisonOf(request));
  if (record.savedNanoUsd === saved) return;
  throw new Violation("record", `${id} saves ${saved}, and its record says ${record.savedNanoUsd}.`);
}

/** Of two who ask for the same: to the letter, in the same form, for the same project. */
function areEqual(one: Request, other: Request): boolean {
  const isSameForm = one.ask.stream === other.ask.stream && one.ask.phrase === other.ask.phrase;
  return isSameForm && one.payer?.projectId === other.payer?.projectId;
}

function cacheOf({ ask }: Request, { models }: Config): ModelConfig["cache"] | null {
  const cache = models[ask.model]?.cache;
  return cache === undefined || cache.mode === "off" ? null : cache;
}

/** What the caller wants of the cache; `null`: it has nothing to do with it. */
function wishOf(request: Request, config: Config): "use" | "refresh" | "bypass" | null {
  const cache = cacheOf(request, config);
  const { cacheWish } = request.ask;
  if (cache === null || (cache.mode === "on-request" && cacheWish?.header !== "x-headgate-cache")) return null;
  return cacheWish?.mode ?? "use";
}

function wrong({ id }: Request, what: string): Violation {
  return new Violation("shared", `${id} ${what}.`);
}
