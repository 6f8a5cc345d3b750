/**
 * What requests share with each other: a request that equals another one gets that one's answer instead of a call of its
 * own. Two ways to be equal, which can meet in one request:
 *
 *   Idempotency-Key   the caller says so; whatever was answered, errors that would come again included   keys/
 *   cache             the route says so; answers that ended normally, and identical requests under way   cached.ts;
 *                     with `mode: semantic` also answers to requests in other words                      meaning/
 *
 *   serve ─▶ join or replay ───────────────────────────────▶ conclude
 *        └─▶ lead: make the request, others may join ──────▶ conclude ─▶ concluded: keep, cache, end for all
 *
 * Invariants: nothing is shared between tenants, and nothing is given to a key that may not use the model. What is given
 * again costs nothing and takes nothing from allowances. A request that shares nothing pays for two lookups.
 */
import type { Clock } from "../../kernel/clock.ts";
import type { IdSource } from "../../kernel/ids.ts";
import type { AnswerStore } from "../../storage/answers/answers.ts";
import type { PurgeReader } from "../../storage/answers/cache-purges.ts";
import type { RequestRecord } from "../../storage/records.ts";
import type { Telemetry } from "../../telemetry/telemetry.ts";
import type { AnswerMemory } from "../../streaming/answer-memory.ts";
import type { Principal } from "../../tenancy/principal.ts";
import { overallDueMs, readDeadline } from "../deadline.ts";
import type { Exchange } from "../exchange.ts";
import { planRequest } from "../plan-request.ts";
import { createAnswerCache } from "./answer-cache.ts";
import { CanonicalBody } from "./canonical-body.ts";
import { cacheModeOf, CachedRequests } from "./cached.ts";
import { KeyClaims } from "./keys/claims.ts";
import { KeyedRequests } from "./keys/keyed.ts";
import { keep } from "./keep.ts";
import type { Embedded, Words } from "./meaning/embed.ts";
import { endOf } from "./outcome.ts";
import { Share } from "./share.ts";
import { readIdempotencyKey } from "./wishes.ts";

export interface SharingDeps {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly answers: AnswerStore;
  readonly cachePurges: PurgeReader;
  /** Of which answers take what others are to read, and what waits for the store. */
  readonly answerMemory: AnswerMemory;
  readonly telemetry: Pick<Telemetry, "backgroundFailed" | "warn">;
  /** Of this program: answers of another are not given, since it may have read and written them differently. */
  readonly version: string;
}

/** Calls of providers that a request can make for itself. */
export interface OwnCalls {
  /** The request itself. */
  readonly make: () => Promise<void>;
  /** What words mean, at the payer's expense. Never rejects. */
  readonly embed: (words: Words) => Promise<Embedded>;
}

/** Disposing waits until what is to be cached is written, and a second for what is to be kept under keys. */
export interface Sharing extends AsyncDisposable {
  /** Whether the request has to go through `serve`. Asked of every request whose view is read. */
  concerns(exchange: Exchange): boolean;
  /**
   * Leaves the answer or the failure in the exchange, by `make` if nobody else has it. Throws what keeps the request from
   * being answered.
   */
  serve(exchange: Exchange, principal: Principal, calls: OwnCalls): Promise<void>;
  /** To be awaited once the exchange is concluded: its caller gets the last bytes here. `record`: as `conclude` gave it. */
  concluded(exchange: Exchange, record: RequestRecord | null): Promise<void>;
}

export function createSharing(deps: SharingDeps): Sharing {
  const { clock, answerMemory: memory } = deps;
  const claims = new KeyClaims(deps);
  const keyed = new KeyedRequests({ clock, claims });
  const cached = new CachedRequests({ ...deps, memory: createAnswerCache(clock, deps.cachePurges) });
  return {
    concerns(exchange) {
      const { headers } = exchange.incoming;
      if (headers["idempotency-key"] !== undefined) return true;
      const mode = cacheModeOf(exchange)?.mode ?? "off";
      return mode !== "off" && (mode !== "on-request" || headers["x-headgate-cache"] !== undefined);
    },
    async serve(exchange, principal, { make, embed }) {
      const { view, snapshot, incoming } = exchange;
      if (view === null) return;
      const { targets } = planRequest(exchange, view, principal);
      const share = new Share(exchange);
      exchange.share = share;
      const deadline = readDeadline(incoming.headers, exchange.startedMs, view.stream);
      const dueMs = overallDueMs(exchange.startedMs, targets, deadline);
      const body = new CanonicalBody(view.document);
      const scene = { exchange, view, body, principal, share, deadline, dueMs, embed, memory };
      const key = snapshot.config.idempotency.retentionMs === 0 ? null : readIdempotencyKey(incoming.headers);
      if (key === null) await cached.serve(scene, make);
      else await keyed.serve(scene, key, () => cached.serve(scene, make));
    },
    async concluded(exchange, record) {
      const { share } = exchange;
      if (share === null || share.leading === null) return;
      const end = endOf(exchange, share, share.leading, record, clock.wallMs());
      try {
        await keep({ claims, cached }, exchange, share, share.leading, end, record);
      } finally {
        keyed.forget(share);
        cached.forget(share);
        share.leading.finish(end);
      }
    },
    async [Symbol.asyncDispose]() {
      await claims[Symbol.asyncDispose]();
      await cached.written();
    },
  };
}
