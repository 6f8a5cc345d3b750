/**
 * Requests of routes that cache: each is looked for in memory, among those under way and in the store, and made only if
 * it is in none of them. What equals a request under way joins it, so identical requests at the same time are one call.
 * Before it is made, a request of a route that compares meanings is compared with others.
 */
import type { CacheConfig, ModelCacheConfig } from "../../config/config.ts";
import type { Clock } from "../../kernel/clock.ts";
import { UnderWay } from "../../kernel/under-way.ts";
import type { AnswerStore, CachedAnswer, Meaning } from "../../storage/answers/answers.ts";
import type { Telemetry } from "../../telemetry/telemetry.ts";
import type { Exchange } from "../exchange.ts";
import { passedHeaders } from "../passed-headers.ts";
import { requiredTags } from "../plan-request.ts";
import type { AnswerCache } from "./answer-cache.ts";
import { formOf, inFormOf } from "./form/form.ts";
import { type CacheIdentity, cacheKeyOf } from "./identity.ts";
import { join } from "./joint/join.ts";
import { SimilarAnswers } from "./meaning/similar.ts";
import { answerWith, lead, type Scene } from "./scene.ts";
import type { Share } from "./share.ts";
import { StoreTier } from "./store-tier.ts";
import type { SharedAnswer } from "./joint/shared-answer.ts";
import { type CacheWish, readCacheWish } from "./wishes.ts";

export interface CachedDeps {
  readonly clock: Clock;
  readonly memory: AnswerCache;
  readonly answers: AnswerStore;
  readonly telemetry: Pick<Telemetry, "backgroundFailed" | "warn">;
  readonly version: string;
}

/** How an alias caches; `null` for what is no alias, or caches nothing. */
export function cacheModeOf({ snapshot, view }: Pick<Exchange, "snapshot" | "view">): ModelCacheConfig | null {
  const { models } = snapshot.config;
  if (view === null || !Object.hasOwn(models, view.model)) return null;
  const policy = models[view.model]?.cache;
  return policy === undefined || policy.mode === "off" ? null : policy;
}

export class CachedRequests {
  readonly #deps: CachedDeps;
  /** Under way, by cache key and form. */
  readonly #flights = new UnderWay<SharedAnswer>();
  /** Answers that the store has not taken yet, and who waits for none to be left. */
  #unwritten = 0;
  #allWritten: (() => void) | null = null;
  readonly #store: StoreTier;
  readonly #similar: SimilarAnswers;

  constructor(deps: CachedDeps) {
    this.#deps = deps;
    this.#store = new StoreTier(deps);
    this.#similar = new SimilarAnswers({ ...deps, store: this.#store });
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
    const identity = identityOf(scene, this.#deps.version);
    const cacheKey = cacheKeyOf(identity);
    if (wish.mode === "use" && (await this.#find(scene, cacheKey, wish))) return;
    if (await this.#findInStore(scene, cacheKey, policy, wish)) return;
    if (policy.mode === "semantic" && (await this.#findSimilar(scene, identity, policy, wish))) return;
    await make();
  }

  /** In memory at once, in the store as soon as it takes it. */
  put(cached: CachedAnswer, meaning: Meaning | null, config: CacheConfig): void {
    this.#deps.memory.put(cached, config.sizeBytes);
    if (meaning !== null) this.#similar.add(meaning, cached, config);
    this.#unwritten++;
    this.#deps.answers.cache(cached, meaning).then(this.#written, (thrown: unknown) => {
      this.#deps.telemetry.backgroundFailed("writing an answer to the cache", thrown);
      this.#written();
    });
  }

  /** What the exchange leads is over. */
  forget({ flightKey, leading }: Share): void {
    if (flightKey !== null && this.#flights.get(flightKey) === leading) this.#flights.delete(flightKey);
  }

  /** Resolves when everything that was put is written, or has failed. */
  async written(): Promise<void> {
    if (this.#unwritten > 0) {
      await new Promise<void>((resolve) => {
        this.#allWritten = resolve;
      });
    }
  }

  readonly #written = (): void => {
    if (--this.#unwritten === 0) this.#allWritten?.();
  };

  /** In memory or among those under way. `true`: answered, or cancelled. */
  async #find(scene: Scene, cacheKey: string, { maxAgeMs }: CacheWish): Promise<boolean> {
    const { exchange, share, deadline } = scene;
    const flightKey = flightKeyOf(scene, cacheKey);
    for (;;) {
      const found = this.#deps.memory.find(cacheKey, maxAgeMs);
      if (found !== null && this.#answer(scene, found)) return true;
      const flight = this.#flights.get(flightKey);
      if (flight?.isJoinable !== true) return false;
      share.reuse = "joined";
      if (await join(this.#deps, exchange, share, flight, deadline)) return true;
      if (exchange.cancelCause !== null) return true;
    }
  }

  /** In the store, while others may follow this request already. `true`: answered. */
  async #findInStore(scene: Scene, cacheKey: string, { ttlMs }: ModelCacheConfig, wish: CacheWish): Promise<boolean> {
    const { exchange, share } = scene;
    const { cache } = exchange.snapshot.config;
    share.reuse = "miss";
    share.cachePlan = { cacheKey, ttlMs, meaning: null };
    const shared = share.leading ?? lead(scene, cache.answerBytes);
    const flightKey = flightKeyOf(scene, cacheKey);
    if (this.#flights.get(flightKey)?.isJoinable !== true) {
      this.#flights.set(flightKey, shared);
      share.flightKey = flightKey;
    }
    if (wish.mode !== "use") return false;
    const found = await this.#store.ask("looking for an answer in the cache", (answers) =>
      answers.findCached(cacheKey),
    );
    if (found === null || !this.#deps.memory.isGood(found, wish.maxAgeMs)) return false;
    this.#deps.memory.put(found, cache.sizeBytes);
    return this.#answer(scene, found);
  }

  /** Among answers to other words. `true`: answered, or cancelled. */
  async #findSimilar(
    scene: Scene,
    identity: CacheIdentity,
    policy: ModelCacheConfig,
    { mode, maxAgeMs }: CacheWish,
  ): Promise<boolean> {
    const { exchange, share } = scene;
    const meaning = await this.#similar.meaningOf(scene, identity, policy);
    if (exchange.cancelCause !== null) return true;
    if (meaning === null) return false;
    if (share.cachePlan !== null) share.cachePlan = { ...share.cachePlan, meaning };
    if (mode !== "use") return false;
    const found = await this.#similar.find(meaning, policy, maxAgeMs, exchange.snapshot.config.cache);
    if (exchange.cancelCause !== null) return true;
    if (found === null || !this.#answer(scene, found.cached, "semantic")) return false;
    share.similarity = found.similarity;
    return true;
  }

  /** `false`: it cannot be given in the form that is asked for. */
  #answer(scene: Scene, cached: CachedAnswer, reuse: "hit" | "semantic" = "hit"): boolean {
    const answer = inFormOf(scene.view, scene.exchange.dialect, cached.answer);
    if (answer === null) return false;
    scene.share.cachePlan = null;
    scene.share.reuse = reuse;
    answerWith(scene, answer, this.#deps.clock.wallMs());
    return true;
  }
}

/** Only who asks for the same form can follow an answer as it is made. */
function flightKeyOf({ view }: Scene, cacheKey: string): string {
  return `${cacheKey} ${formOf(view)}`;
}

function identityOf({ exchange, view, principal, body }: Scene, version: string): CacheIdentity {
  const { snapshot, incoming } = exchange;
  const model = snapshot.config.models[view.model];
  const targets = [...(model?.targets ?? []), ...(model?.fallbacks ?? [])].map((target) => {
    const endpoint = snapshot.endpoints.get(target.model.slice(0, target.model.indexOf("/")));
    return `${target.model} ${endpoint?.origin ?? ""}${endpoint?.basePath ?? ""}`;
  });
  const tags = requiredTags(exchange, view.model);
  const path = [incoming.path, ...passedHeaders(exchange)].join("\n");
  return { version, payer: principal.payer, path, targets, tags, body };
}
