/**
 * Weighted rendezvous hashing: each pair of key and place has a draw of its own, and the lowest wins. With the draw
 * exponential at the place's weight as its rate, a place wins its share of the keys, and one that comes or goes moves
 * only the keys that it wins: nobody else's change hands. (D. Thaler, C. Ravishankar, "Using name-based mappings to
 * increase hit rates", 1998; the weighted form follows from the minimum of exponential draws.)
 */

/** MurmurHash3, 32 bits (A. Appleby, public domain): even and fast, and no protection against whoever seeks collisions. */
export function hashBytes(bytes: Uint8Array, seed: number): number {
  const whole = bytes.length & ~3;
  let hash = seed;
  for (let at = 0; at < whole; at += 4) {
    hash = mixWord(hash, wordAt(bytes, at));
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  // Bytes past the end read as 0.
  if (whole < bytes.length) hash = mixWord(hash, wordAt(bytes, whole));
  return finish(hash ^ bytes.length);
}

/** The lowest wins. `placeHash`: of the place's name; `weight` above 0. */
export function drawOf(key: number, placeHash: number, weight: number): number {
  const uniform = ((finish(key ^ placeHash) >>> 0) + 0.5) / 2 ** 32;
  return -Math.log(uniform) / weight;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

function mixWord(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  return hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
}

function finish(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
