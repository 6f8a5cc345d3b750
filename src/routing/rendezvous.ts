/**
 * Weighted rendezvous hashing: each pair of key and place has a draw of its own, and the lowest wins. With the draw
 * exponential at the place's weight as its rate, a place wins its share of the keys, and one that comes or goes moves
 * only the keys that it wins: nobody else's change hands. (D. Thaler, C. Ravishankar, "Using name-based mappings to
 * increase hit rates", 1998; the weighted form follows from the minimum of exponential draws.)
 */

/** MurmurHash3, 32 bits (A. Appleby, public domain): even and fast, and no protection against whoever seeks collisions. */
export function hashBytes(bytes: Uint8Array, seed: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.byteLength & ~3;
  let hash = seed;
  for (let at = 0; at < whole; at += 4) {
    hash = mixWord(hash, view.getInt32(at, true));
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  let rest = 0;
  for (let at = bytes.byteLength - 1; at >= whole; at--) rest = (rest << 8) | view.getUint8(at);
  // A rest of nothing mixes nothing in.
  return finish(mixWord(hash, rest) ^ bytes.byteLength);
}

/** The lowest wins. `placeHash`: of the place's name; `weight` above 0. */
export function drawOf(key: number, placeHash: number, weight: number): number {
  const uniform = ((finish(key ^ placeHash) >>> 0) + 0.5) / 2 ** 32;
  return -Math.log(uniform) / weight;
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
