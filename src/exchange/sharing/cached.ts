/**
 * Requests of routes that cache: each is looked for in memory, among those under way and in the store, and made only if
 * it is in none of them. What equals a request under way joins it, so identical requests at the same time are one call.
 */
import type { CacheConfig, ModelCacheConfig } from "../../config/config.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { AnswerStore, CachedAnswer } from "../../storage/answers/answers.ts";
import type { Telemetry } from "../../telemetry/telemetry.ts";
import { Pause } from "../course/pause.ts";
import type { Exchange } from "../exchange.ts";
import type { AnswerCache } from "./answer-cache.ts";
import { cacheKeyOf } from "./identity.ts";
import { join } from "./joint/join.ts";
import { answerWith, lead, type Scene } from "./scene.ts";
import type { Share } from "./share.ts";
import type { SharedAnswer } from "./joint/shared-answer.ts";
import { type CacheWish, readCacheWish } from "./wishes.ts";

export interface CachedDeps {
  readonly clock: Clock;
  readonly memory: AnswerCache;
  readonly answers: AnswerStore;
  readonly telemetry: Pick<Telemetry, "backgroundFailed">;
}

/** How long a request waits for the store to say whether it has the answer. */
const LOOK_MS = 100;
/** How long the store is not asked after it could not be. */
const AWAY_MS = 5_000;

/** How an alias caches; `null` for what is no alias, or caches nothing. */
export function cacheModeOf({ snapshot, view }: Pick<Exchange, "snapshot" | "view">): ModelCacheConfig | null {
  const { models } = snapshot.config;
  if (view === null || !Object.hasOwn(models, view.model)) return null;
  const policy = models[view.model]?.cache;
  return policy === undefined || policy.mode === "off" ? null : policy;
}

export class CachedRequests {
  readonly #deps: CachedDeps;
  /** Under way, by cache key. */
  readonly #flights = new Map<string, SharedAnswer>();
  readonly #writing = new Set<Promise<void>>();
  #awayUntilMs = 0;

  constructor(deps: CachedDeps) {
    this.#deps = deps;
  }

  /** Throws what keeps the request from being answered. */
  async serve(scene: Scene, make: () => Promise<void>): Promise<void> {
    const { exchange, view, share } = scene;
    const policy = cacheModeOf(exchange);
    const wish = policy === null ? null : readCacheWish(exchange.incoming.headers, policy.mode);
    if (policy === null || wish === null || exchange.snapshot.config.cache.sizeBytes === 0) return make();
    if (wish.mode === "bypass" || view.document.root["store"] === true) {
      share.reuse = "bypass";
      return make();
    }
    const cacheKey = this.#keyOf(scene);
    if (wish.mode === "use" && (await this.#find(scene, cacheKey, wish))) return;
    await this.#make(scene, { cacheKey, ttlMs: policy.ttlMs }, wish, make);
  }

  /** In memory at once, in the store as soon as it takes it. */
  put(cached: CachedAnswer, { sizeBytes }: CacheConfig): void {
    this.#deps.memory.put(cached, sizeBytes);
    const writing = this.#deps.answers
      .cache(cached)
      .catch((thrown: unknown) => this.#deps.telemetry.backgroundFailed("writing an answer to the cache", thrown))
      .finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }

  /** What the exchange leads is over. */
  forget({ flightKey }: Share): void {
    if (flightKey !== null) this.#flights.delete(flightKey);
  }

  /** Resolves when everything that was put is written, or has failed. */
  async written(): Promise<void> {
    await Promise.all(this.#writing);
  }

  #keyOf({ exchange, view, principal }: Scene): string {
    const { models } = exchange.snapshot.config;
    const model = models[view.model];
    const targets = [...(model?.targets ?? []), ...(model?.fallbacks ?? [])].map((target) => target.model);
    return cacheKeyOf({ payer: principal.payer, path: exchange.incoming.path, targets, document: view.document });
  }

  /** In memory or among those under way. `true`: answered, or cancelled. */
  async #find(scene: Scene, cacheKey: string, { maxAgeMs }: CacheWish): Promise<boolean> {
    const { exchange, share, deadline } = scene;
    for (;;) {
      const found = this.#deps.memory.find(cacheKey, maxAgeMs);
      if (found !== null) {
        this.#answer(scene, found);
        return true;
      }
      const flight = this.#flights.get(cacheKey);
      if (flight?.isJoinable !== true) return false;
      share.reuse = "joined";
      if (await join(this.#deps, exchange, share, flight, deadline)) return true;
      if (exchange.cancelCause !== null) return true;
    }
  }

  async #make(
    scene: Scene,
    plan: { readonly cacheKey: string; readonly ttlMs: number },
    wish: CacheWish,
    make: () => Promise<void>,
  ): Promise<void> {
    const { exchange, share } = scene;
    share.reuse = "miss";
    share.cachePlan = plan;
    const shared = share.leading ?? lead(scene, exchange.snapshot.config.cache.answerBytes);
    if (!this.#flights.has(plan.cacheKey)) {
      this.#flights.set(plan.cacheKey, shared);
      share.flightKey = plan.cacheKey;
    }
    const found = wish.mode === "use" ? await this.#look(plan.cacheKey) : null;
    if (found === null || !this.#deps.memory.isGood(found, wish.maxAgeMs)) return make();
    share.cachePlan = null;
    this.#deps.memory.put(found, exchange.snapshot.config.cache.sizeBytes);
    this.#answer(scene, found);
  }

  #answer(scene: Scene, { answer }: CachedAnswer): void {
    scene.share.reuse = "hit";
    answerWith(scene, answer, this.#deps.clock.wallMs());
  }

  /** In the store. A store that is slow or away has nothing. */
  async #look(cacheKey: string): Promise<CachedAnswer | null> {
    const { clock, answers, telemetry } = this.#deps;
    if (clock.monotonicMs() < this.#awayUntilMs) return null;
    const pause = new Pause(clock, LOOK_MS);
    const looked = answers.findCached(cacheKey).catch((thrown: unknown) => {
      this.#awayUntilMs = clock.monotonicMs() + AWAY_MS;
      telemetry.backgroundFailed("looking for an answer in the cache", thrown);
      return null;
    });
    const found = await Promise.race([looked, pause.over.then(() => null)]);
    pause.cancel();
    return found;
  }
}
