/**
 * The beginning of a stream that is held back, in order. What is added is copied, since the transport uses its memory
 * again, into blocks that grow: many small events cost neither an object nor a write each.
 */
import type { AnswerMemory } from "./answer-memory.ts";

export class HeldBytes {
  readonly #memory: AnswerMemory;
  #blocks: Buffer[] = [];
  /** How much of the last block is filled. */
  #filled = 0;
  #size = 0;

  constructor(memory: AnswerMemory) {
    this.#memory = memory;
  }

  get size(): number {
    return this.#size;
  }

  /** False: there is no memory for it, and it was not added. */
  add(bytes: Uint8Array): boolean {
    if (!this.#memory.grow(this.#size, bytes.byteLength)) return false;
    let block = this.#blocks.at(-1);
    if (block === undefined || block.byteLength - this.#filled < bytes.byteLength) {
      this.#seal();
      block = Buffer.allocUnsafe(Math.max(bytes.byteLength, Math.min(this.#size, BLOCK_BYTES_MAX)));
      this.#blocks.push(block);
      this.#filled = 0;
    }
    block.set(bytes, this.#filled);
    this.#filled += bytes.byteLength;
    this.#size += bytes.byteLength;
    return true;
  }

  /** Hands everything over, and holds nothing any more. */
  take(): readonly Uint8Array[] {
    this.#seal();
    const blocks = this.#blocks;
    this.clear();
    return blocks;
  }

  clear(): void {
    this.#memory.giveBack(this.#size, this.#size);
    this.#blocks = [];
    this.#filled = 0;
    this.#size = 0;
  }

  /** Only what was filled of the last block counts. */
  #seal(): void {
    const last = this.#blocks.pop();
    if (last !== undefined) this.#blocks.push(last.subarray(0, this.#filled));
  }
}

const BLOCK_BYTES_MAX = 65_536;
