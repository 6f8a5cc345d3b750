/**
 * A cache of bounded size that keeps what was used lately: two maps, of which the younger takes new and reused
 * entries; when it is full it becomes the elder, and what the elder still held is forgotten.
 */
export class BoundedCache<Value> {
  readonly #halfSize: number;
  #younger = new Map<string, Value>();
  #elder = new Map<string, Value>();

  /** At most `sizeMax` entries, 2 or more. */
  constructor(sizeMax: number) {
    this.#halfSize = Math.floor(sizeMax / 2);
  }

  get(key: string): Value | undefined {
    const young = this.#younger.get(key);
    if (young !== undefined) return young;
    const old = this.#elder.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: Value): void {
    if (this.#younger.size >= this.#halfSize) {
      this.#elder = this.#younger;
      this.#younger = new Map();
    }
    this.#younger.set(key, value);
  }

  clear(): void {
    this.#younger.clear();
    this.#elder.clear();
  }
}
