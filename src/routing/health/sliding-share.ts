/**
 * Two counts of late: of all, and of some among them. Kept in buckets of time, so that memory is constant; what is counted
 * goes back between `buckets - 1` and `buckets` times `bucketMs`.
 */
export class SlidingShare {
  readonly #bucketMs: number;
  readonly #alls: Uint32Array;
  readonly #somes: Uint32Array;
  #bucket = 0;
  #all = 0;
  #some = 0;

  constructor(bucketMs: number, buckets: number) {
    this.#bucketMs = bucketMs;
    this.#alls = new Uint32Array(buckets);
    this.#somes = new Uint32Array(buckets);
  }

  all(nowMs: number): number {
    this.#moveTo(nowMs);
    return this.#all;
  }

  some(nowMs: number): number {
    this.#moveTo(nowMs);
    return this.#some;
  }

  add(all: number, some: number, nowMs: number): void {
    this.#moveTo(nowMs);
    const place = this.#bucket % this.#alls.length;
    this.#alls[place] = (this.#alls[place] ?? 0) + all;
    this.#somes[place] = (this.#somes[place] ?? 0) + some;
    this.#all += all;
    this.#some += some;
  }

  reset(): void {
    this.#alls.fill(0);
    this.#somes.fill(0);
    this.#all = 0;
    this.#some = 0;
  }

  #moveTo(nowMs: number): void {
    const bucket = Math.floor(nowMs / this.#bucketMs);
    if (bucket <= this.#bucket) return;
    const emptied = Math.min(bucket - this.#bucket, this.#alls.length);
    for (let ahead = 1; ahead <= emptied; ahead++) this.#empty((this.#bucket + ahead) % this.#alls.length);
    this.#bucket = bucket;
  }

  #empty(place: number): void {
    this.#all -= this.#alls[place] ?? 0;
    this.#some -= this.#somes[place] ?? 0;
    this.#alls[place] = 0;
    this.#somes[place] = 0;
  }
}
