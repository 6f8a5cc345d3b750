/**
 * What is under way, by a key. A `Map` of the things themselves would do but for V8, whose old tables keep what was in
 * them until the next full collection: see roster.ts. Here what they keep is an empty place.
 */
export class UnderWay<Value> {
  readonly #places = new Map<string, Place<Value>>();

  get(key: string): Value | null {
    return this.#places.get(key)?.value ?? null;
  }

  /** In place of what was there. */
  set(key: string, value: Value): void {
    this.delete(key);
    this.#places.set(key, { value });
  }

  delete(key: string): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    place.value = null;
    this.#places.delete(key);
  }
}

interface Place<Value> {
  value: Value | null;
}
