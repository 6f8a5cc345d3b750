import { randomFillSync } from "node:crypto";

/** Randomness as a dependency: fills the buffer with unpredictable bytes (or, in a simulation, seeded ones). */
export type RandomFill = (buffer: Uint8Array) => void;

export const systemRandomFill: RandomFill = (buffer) => {
  randomFillSync(buffer);
};

/** Uniform in [0, 1), from 32 random bits. */
export function randomUnit(randomFill: RandomFill): number {
  const bits = new Uint32Array(1);
  randomFill(new Uint8Array(bits.buffer));
  return (bits[0] ?? 0) / 2 ** 32;
}

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const POOL_BYTES = 4096;
const RANDOM_CHARS = 16;

export interface IdSource {
  /**
   * `prefix_` + 9 characters of time + 16 random ones (80 bits), Crockford base 32. Ids made later sort later
   * (to the millisecond), so tables keyed by them grow at one end.
   */
  next(prefix: string): string;
}

export function createIdSource(randomFill: RandomFill, wallMs: () => number): IdSource {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  let stampedMs = -1;
  let stamp = "";
  return {
    next(prefix) {
      const nowMs = wallMs();
      if (nowMs !== stampedMs) {
        stampedMs = nowMs;
        stamp = encodeTime(nowMs);
      }
      if (used + RANDOM_CHARS > POOL_BYTES) {
        randomFill(pool);
        used = 0;
      }
      let random = "";
      for (let index = 0; index < RANDOM_CHARS; index++) random += ALPHABET[(pool[used++] ?? 0) & 31];
      return `${prefix}_${stamp}${random}`;
    },
  };
}

function encodeTime(ms: number): string {
  let rest = Math.floor(ms);
  let text = "";
  for (let index = 0; index < 9; index++) {
    text = ALPHABET[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
