/**
 * The Messages API's usage as disjoint buckets.
 *
 * Wire facts (`Usage` and `MessageDeltaUsage` in anthropic-sdk-typescript, resources/messages/messages.ts):
 * `input_tokens` excludes both cache classes, so the whole input is `input_tokens + cache_read_input_tokens +
 * cache_creation_input_tokens`; `cache_creation` splits the last one by TTL and comes only with `message_start` or a
 * whole answer; `output_tokens` includes thinking, of which `output_tokens_details.thinking_tokens` is a share.
 * In a stream every count is cumulative, and `message_delta` may leave out or null what it does not repeat.
 * `iterations` lists the model's turns. Those of `message` are what the totals add up; the tokens of a `compaction` and of
 * an `advisor_message` are billed besides (`BetaMessageDeltaUsage.iterations`, resources/beta/messages/messages.ts).
 *
 * Invariant: the buckets add up to the provider's own totals and what it bills besides, whatever the split says.
 */
import { addUsage, emptyUsage, type Usage } from "../../kernel/usage.ts";
import { asCount, asObject, isNoCount, type WireObject } from "../wire-values.ts";

/** Merges the usage objects of one answer. A count that is absent keeps its last value; zero is a value. */
export class UsageTally {
  #seen = false;
  #input = 0;
  #cacheRead = 0;
  #cacheWrite = 0;
  #cacheWrite1h = 0;
  #output = 0;
  #thinking = 0;
  #searches = 0;
  /** What is billed besides the totals. */
  #besides: readonly Usage[] = [];
  /** Counts that were told as something else, and not told anew. */
  readonly #missing = new Set<string>();

  /** `wire` is the `usage` member of `message_start.message`, `message_delta` or a whole message; anything else is ignored. */
  absorb(wire: unknown): void {
    const usage = asObject(wire);
    if (usage === null) return;
    this.#absorbCacheWrites(usage);
    this.#input = this.#take("input", usage["input_tokens"], this.#input);
    this.#cacheRead = this.#take("cache read", usage["cache_read_input_tokens"], this.#cacheRead);
    this.#output = this.#take("output", usage["output_tokens"], this.#output);
    this.#thinking = this.#take(
      "thinking",
      asObject(usage["output_tokens_details"])?.["thinking_tokens"],
      this.#thinking,
    );
    this.#searches = this.#take(
      "searches",
      asObject(usage["server_tool_use"])?.["web_search_requests"],
      this.#searches,
    );
    const iterations = usage["iterations"];
    if (Array.isArray(iterations)) this.#absorbIterations(iterations);
  }

  /** Whether something that was told is no count: then the total is not to be relied on. */
  get isDoubtful(): boolean {
    return this.#missing.size > 0;
  }

  /** `null` until the provider has reported any count. A new object each time. */
  total(): Usage | null {
    if (!this.#seen) return null;
    const usage = emptyUsage();
    const longLived = Math.min(this.#cacheWrite1h, this.#cacheWrite);
    const thinking = Math.min(this.#thinking, this.#output);
    usage.inputTokens = this.#input;
    usage.cacheReadTokens = this.#cacheRead;
    usage.cacheWrite5mTokens = this.#cacheWrite - longLived;
    usage.cacheWrite1hTokens = longLived;
    usage.outputTokens = this.#output - thinking;
    usage.reasoningTokens = thinking;
    usage.searchUnits = this.#searches;
    for (const more of this.#besides) addUsage(usage, more);
    return usage;
  }

  #absorbIterations(iterations: readonly unknown[]): void {
    const besides: Usage[] = [];
    for (const iteration of iterations) {
      const type = asObject(iteration)?.["type"];
      if (type !== "compaction" && type !== "advisor_message") continue;
      const tally = new UsageTally();
      tally.absorb(iteration);
      if (tally.isDoubtful) this.#missing.add("iterations");
      const usage = tally.total();
      if (usage !== null) besides.push(usage);
    }
    this.#besides = besides;
  }

  /** The total rules over its split; a split without a total is its own total. */
  #absorbCacheWrites(usage: WireObject): void {
    const split = asObject(usage["cache_creation"]);
    const shortLived = asCount(split?.["ephemeral_5m_input_tokens"]);
    const longLived = asCount(split?.["ephemeral_1h_input_tokens"]);
    const sum = shortLived === null && longLived === null ? null : (shortLived ?? 0) + (longLived ?? 0);
    this.#cacheWrite1h = this.#take("cache write of an hour", split?.["ephemeral_1h_input_tokens"], this.#cacheWrite1h);
    const whole = usage["cache_creation_input_tokens"];
    this.#cacheWrite = this.#take("cache write", asCount(whole) ?? sum, this.#cacheWrite);
    if (isNoCount(whole) || isNoCount(split?.["ephemeral_5m_input_tokens"])) this.#missing.add("cache write");
  }

  #take(name: string, value: unknown, before: number): number {
    const count = asCount(value);
    if (count === null) {
      if (isNoCount(value)) this.#missing.add(name);
      return before;
    }
    this.#seen = true;
    this.#missing.delete(name);
    return count;
  }
}
