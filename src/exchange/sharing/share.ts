/**
 * One exchange's part in answers that several requests get: what it leads, what it reads of another's, and what the
 * caller and the record are told of where the answer came from.
 */
import { type NanoUsd, toNanoUsd, zeroUsd } from "../../kernel/money.ts";
import type { HeadgateError } from "../../kernel/errors.ts";
import type { Meaning } from "../../storage/answers/answers.ts";
import type { Reuse } from "../../storage/records.ts";
import type { LogReader } from "./joint/answer-log.ts";
import type { AnswerSource, Leader, SharedAnswer, SharedEnd } from "./joint/shared-answer.ts";
import type { OwnClaim } from "./keys/unwritten-answers.ts";

/** What ends a wait for another's answer: its end, an own failure, or (`null`) the cancellation of the exchange. */
export type Awaited = SharedEnd | HeadgateError | null;

/** Of the exchange, as much as its share needs. */
export interface SharingExchange {
  readonly requestId: string;
  cancel(cause: "caller-gone"): void;
  /** Goes on with a call that was held back. */
  resumeCall(): void;
}

interface Reading {
  readonly shared: SharedAnswer;
  readonly reader: LogReader;
  readonly stop: (why: Awaited) => void;
}

/** An answer that is to be cached under this key. */
export interface CachePlan {
  readonly cacheKey: string;
  readonly ttlMs: number;
  /** By which it is found for requests in other words; `null`: by none. */
  readonly meaning: Meaning | null;
}

export class Share implements Leader {
  readonly requestId: string;
  reuse: Reuse | null = null;
  /** The answer was made for an earlier request with the same key. */
  isReplayed = false;
  /** What the answer of another's had cost. */
  savedNanoUsd: NanoUsd = zeroUsd;
  /** What it cost to learn what the request means. */
  embeddingNanoUsd: NanoUsd = zeroUsd;
  /** Of its words to those of the request that it gets the answer of. */
  similarity: number | null = null;
  /** The call for that while it is under way. */
  embedding: { cancel(cause: "caller-gone" | "shutdown"): void } | null = null;
  /** Since the answer was complete; `null` while it is being made. */
  ageMs: number | null = null;
  /** The bytes that end a stream of another's. */
  tail: Uint8Array | null = null;
  leading: SharedAnswer | null = null;
  /** What this exchange has claimed, and has to keep or release. */
  claim: OwnClaim | null = null;
  cachePlan: CachePlan | null = null;
  /** Under which what it leads is found by others: by the hash of a key, by the key of the cache. */
  keyHash: string | null = null;
  flightKey: string | null = null;
  readonly #exchange: SharingExchange;
  #source: Omit<AnswerSource, "costNanoUsd" | "atMs"> | null = null;
  #reading: Reading | null = null;

  constructor(exchange: SharingExchange) {
    this.requestId = exchange.requestId;
    this.#exchange = exchange;
  }

  /** `provider/model`, of another's answer. */
  get modelServed(): string | null {
    return this.#source?.modelServed ?? null;
  }

  get provider(): string | null {
    return this.#source?.provider ?? null;
  }

  /** Negative where the request was compared with others and nothing was found. */
  get netSavedNanoUsd(): NanoUsd {
    return toNanoUsd(this.savedNanoUsd - this.embeddingNanoUsd);
  }

  /** Whose answer it is. */
  get sourceId(): string | null {
    return this.#source?.requestId ?? null;
  }

  /** The exchange answers with what was made for another; of a stream that goes on, the cost is not known yet. */
  take(source: Omit<AnswerSource, "costNanoUsd" | "atMs">, costNanoUsd: NanoUsd, ageMs: number | null): void {
    this.#source = source;
    this.savedNanoUsd = costNanoUsd;
    this.ageMs = ageMs;
  }

  pushHeaders(headers: string[]): void {
    if (this.reuse !== null && this.reuse !== "replayed") headers.push("x-headgate-cache", this.reuse);
    if (this.similarity !== null) headers.push("x-headgate-cache-similarity", this.similarity.toFixed(3));
    if (this.isReplayed) headers.push("idempotent-replayed", "true");
    if (this.#source === null) return;
    headers.push("x-headgate-answer-of", this.#source.requestId, ...this.#source.headers);
    if (this.ageMs !== null) headers.push("age", String(Math.max(0, Math.floor(this.ageMs / 1000))));
  }

  /** Another's answer is waited for, until `stop` is called or `stopReading`. */
  read(reading: Reading): void {
    this.#reading = reading;
  }

  stopReading(): void {
    this.#reading = null;
  }

  /** The exchange is cancelled. Returns whether it goes on all the same, for others than its caller. */
  cancelled(cause: "caller-gone" | "shutdown"): boolean {
    if (cause === "caller-gone" && this.leading?.callerLeft() === true) return true;
    this.leading?.close();
    this.#reading?.stop(null);
    this.embedding?.cancel(cause);
    return false;
  }

  /** The caller reads again. */
  drained(): void {
    if (this.leading !== null) this.leading.drained();
    else this.goOn();
  }

  goOn(): void {
    const reading = this.#reading;
    if (reading !== null) reading.shared.drained(reading.reader);
    else this.#exchange.resumeCall();
  }

  deserted(): void {
    this.#exchange.cancel("caller-gone");
  }
}
