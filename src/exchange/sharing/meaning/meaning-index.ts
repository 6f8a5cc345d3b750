/**
 * The vectors of cached answers in this process's memory, by partition, read from the store when a partition is first
 * asked for and then now and again what other processes have added.
 *
 *   unknown ──read in portions──▶ known ──10 s──▶ read what is new ──▶ known
 *      ▲                            │
 *      └── unused for longest, and no more room
 *
 * Invariant: a comparison takes about a millisecond, so a partition has its newest vectors only, as many as that allows.
 * Whether an answer may be given is not decided here: a vector may outlive its answer, and is dropped when that is noticed.
 */
import type { Clock } from "../../../kernel/clock.ts";
import type { AnswerStore, KeptMeaning } from "../../../storage/answers/answers.ts";
import { Pause } from "../../course/pause.ts";
import { cosine } from "./vectors.ts";

/** Per partition. */
const VECTORS_MAX = 1_000;
const NUMBERS_MAX = 1_600_000;
/** Of one statement, so that none holds up the process. */
const ROWS_AT_ONCE = 50;
const REFRESH_MS = 10_000;
/** Answers are stored after they were complete, and clocks of machines differ. */
const OVERLAP_MS = 30_000;
const OVERHEAD_BYTES = 256;

export interface Neighbour {
  readonly cacheKey: string;
  /** Cosine of the two vectors. */
  readonly similarity: number;
}

interface Partition {
  /** By cache key, the oldest first. */
  vectors: Map<string, KeptMeaning>;
  /** When the newest of its answers was complete. */
  newestAtMs: number;
  bytes: number;
  /** When the store was read, monotonic; `null`: not yet. */
  readMs: number | null;
  /** The same as wall time. */
  readAtMs: number;
  reading: Promise<void> | null;
}

export class MeaningIndex {
  readonly #clock: Clock;
  /** In order of last use. */
  readonly #partitions = new Map<string, Partition>();
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when what the store has is here, at once if it was read of late. Rejects as the store does. */
  async ready(partition: string, answers: AnswerStore, bytesMax: number): Promise<void> {
    const place = this.#use(partition);
    if (place.readMs !== null && this.#clock.monotonicMs() - place.readMs < REFRESH_MS) return;
    place.reading ??= this.#read(partition, place, answers, bytesMax).finally(() => (place.reading = null));
    await place.reading;
  }

  add(partition: string, meaning: KeptMeaning, bytesMax: number): void {
    this.#put(this.#use(partition), [meaning]);
    this.#makeRoom(partition, bytesMax);
  }

  drop(partition: string, cacheKey: string): void {
    const place = this.#partitions.get(partition);
    const meaning = place?.vectors.get(cacheKey);
    if (place !== undefined && meaning !== undefined) this.#remove(place, meaning);
  }

  /** The one that is nearest, and at least as near as `threshold`, of answers no older than `maxAgeMs`. */
  nearest(partition: string, vector: Float32Array, threshold: number, maxAgeMs: number): Neighbour | null {
    const nowMs = this.#clock.wallMs();
    let nearest: Neighbour | null = null;
    let least = threshold;
    for (const { cacheKey, atMs, expiresAtMs, vector: other } of this.#partitions.get(partition)?.vectors.values() ??
      []) {
      if (expiresAtMs <= nowMs || nowMs - atMs > maxAgeMs) continue;
      const similarity = cosine(vector, other);
      if (similarity < least) continue;
      least = similarity;
      nearest = { cacheKey, similarity };
    }
    return nearest;
  }

  #use(partition: string): Partition {
    const known = this.#partitions.get(partition);
    if (known === undefined) this.#bytes += OVERHEAD_BYTES;
    else this.#partitions.delete(partition);
    const place = known ?? {
      vectors: new Map(),
      newestAtMs: -Infinity,
      bytes: OVERHEAD_BYTES,
      readMs: null,
      readAtMs: 0,
      reading: null,
    };
    this.#partitions.set(partition, place);
    return place;
  }

  async #read(partition: string, place: Partition, answers: AnswerStore, bytesMax: number): Promise<void> {
    const sinceMs = place.readMs === null ? 0 : place.readAtMs - OVERLAP_MS;
    const [readMs, readAtMs] = [this.#clock.monotonicMs(), this.#clock.wallMs()];
    for (let offset = 0; offset < VECTORS_MAX; offset += ROWS_AT_ONCE) {
      const read = await answers.findMeanings({ partition, sinceMs, offset, limit: ROWS_AT_ONCE });
      // Meanwhile there may have been no more room for it.
      if (this.#partitions.get(partition) !== place) return;
      this.#put(place, read);
      if (read.length < ROWS_AT_ONCE) break;
      await new Pause(this.#clock, 0).over;
    }
    place.readMs = readMs;
    place.readAtMs = readAtMs;
    this.#makeRoom(partition, bytesMax);
  }

  #put(place: Partition, meanings: readonly KeptMeaning[]): void {
    let isSorted = true;
    for (const meaning of meanings) {
      const before = place.vectors.get(meaning.cacheKey);
      if (before !== undefined && before.atMs > meaning.atMs) continue;
      if (before !== undefined) this.#remove(place, before);
      place.vectors.set(meaning.cacheKey, meaning);
      place.bytes += sizeOf(meaning);
      this.#bytes += sizeOf(meaning);
      isSorted &&= meaning.atMs >= place.newestAtMs;
      place.newestAtMs = Math.max(place.newestAtMs, meaning.atMs);
    }
    if (!isSorted) place.vectors = new Map([...place.vectors].sort(([, a], [, b]) => a.atMs - b.atMs));
    for (const oldest of place.vectors.values()) {
      if (place.vectors.size <= Math.min(VECTORS_MAX, NUMBERS_MAX / oldest.vector.length)) break;
      this.#remove(place, oldest);
    }
  }

  #remove(place: Partition, meaning: KeptMeaning): void {
    place.vectors.delete(meaning.cacheKey);
    place.bytes -= sizeOf(meaning);
    this.#bytes -= sizeOf(meaning);
  }

  /** Whole partitions first, those unused for longest; of the one in use its oldest vectors. */
  #makeRoom(used: string, bytesMax: number): void {
    for (const [partition, place] of this.#partitions) {
      if (this.#bytes <= bytesMax) return;
      if (partition === used) continue;
      this.#partitions.delete(partition);
      this.#bytes -= place.bytes;
    }
    const place = this.#partitions.get(used);
    for (const oldest of place?.vectors.values() ?? []) {
      if (this.#bytes <= bytesMax) return;
      if (place !== undefined) this.#remove(place, oldest);
    }
  }
}

function sizeOf({ vector }: KeptMeaning): number {
  return vector.byteLength + OVERHEAD_BYTES;
}
