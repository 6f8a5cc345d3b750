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

  /** Of all, in the bucket that has begun and the one before; there must be two. */
  allOfTwo(nowMs: number): number {
    this.#moveTo(nowMs);
    const { length } = this.#alls;
    return (this.#alls[this.#bucket % length] ?? 0) + (this.#alls[(this.#bucket + length - 1) % length] ?? 0);
  }

  add(all: number, some: number, nowMs: number): void {
    this.#moveTo(nowMs);
    this.#addTo(this.#bucket, all, some);
  }

  /** Of something that began then: not counted if that was too long ago. */
  addAt(all: number, some: number, atMs: number, nowMs: number): void {
    this.#moveTo(nowMs);
    const bucket = Math.floor(atMs / this.#bucketMs);
    if (bucket > this.#bucket - this.#alls.length) this.#addTo(Math.min(bucket, this.#bucket), all, some);
  }

  reset(): void {
    this.#alls.fill(0);
    this.#somes.fill(0);
    this.#all = 0;
    this.#some = 0;
  }

  #addTo(bucket: number, all: number, some: number): void {
    const place = bucket % this.#alls.length;
    this.#alls[place] = (this.#alls[place] ?? 0) + all;
    this.#somes[place] = (this.#somes[place] ?? 0) + some;
    this.#all += all;
    this.#some += some;
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
