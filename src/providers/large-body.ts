/**
 * A large request body on its way to undici, which keeps what it was given until a connection is there, also of a call that
 * was aborted meanwhile. This one lets go of its bytes when they have been handed over, or are wanted no more.
 */
export class LargeBody implements Iterable<Uint8Array> {
  #bytes: Uint8Array | null;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  drop(): void {
    this.#bytes = null;
  }

  /** Once. */
  *[Symbol.iterator](): Generator<Uint8Array> {
    const bytes = this.#bytes;
    this.#bytes = null;
    if (bytes !== null) yield bytes;
  }
}
