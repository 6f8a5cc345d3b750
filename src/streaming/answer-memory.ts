/**
 * What answers take of this process's memory together: whole ones from their first byte until their exchange is over,
 * streams that are held back, what shared ones keep for those who read them, what is kept to continue a stream, and what
 * waits for the store under an `Idempotency-Key`.
 *
 * The first 16 KiB of each are not counted: so much is bounded by the number of requests, and small answers come through
 * whatever large ones take. An answer that has the memory to itself is bounded by its own limit only.
 *
 * Invariant: what was counted is given back once. Whoever holds an answer knows its size; nothing is kept of it here.
 */
import { HeadgateError } from "../kernel/errors.ts";

/** Of each answer, from its beginning. */
export const UNCOUNTED_BYTES = 16_384;

export class AnswerMemory {
  /** `limits.heldBytes`. */
  bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** What is counted now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether an answer of which `size` bytes are held may hold so many more; then they are counted. */
  grow(size: number, more: number): boolean {
    const own = countedOf(size);
    const next = countedOf(size + more);
    if (next > own && this.#bytes > own && this.#bytes - own + next > this.bytesMax) return false;
    this.#bytes += next - own;
    return true;
  }

  /** Of `size` bytes of an answer so many are not held any more. */
  giveBack(size: number, less: number): void {
    this.#bytes -= countedOf(size) - countedOf(size - less);
  }
}

function countedOf(size: number): number {
  return size > UNCOUNTED_BYTES ? size - UNCOUNTED_BYTES : 0;
}

/** For an answer that may not grow. No target helps, since the memory is this process's. */
export function memoryFull({ bytesMax }: AnswerMemory): HeadgateError {
  return new HeadgateError(
    "overloaded",
    `The answers that the gateway holds take ${bytesMax} bytes already (limits.heldBytes), so this one was given up; what the provider has generated of it is billed. Try again later, or stream it from a model that commits with the first output.`,
    { shouldRetry: false },
  );
}
