/**
 * What a key looks like: `hg-`, 37 random characters of base 62 (220 bits), then 6 that are the CRC-32 of all before
 * them. The fixed prefix and the checksum let secret scanners find leaked keys without false alarms, and let
 * us tell a mistyped key from an unknown one.
 *
 * Keys are stored as plain SHA-256: a slow hash protects secrets that can be guessed, and 220 random bits cannot.
 */
import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { RandomFill } from "../kernel/ids.ts";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const PREFIX = "hg-";
const RANDOM_LENGTH = 37;
const CHECKSUM_LENGTH = 6;
/** What is shown of a key: enough to recognise it, leaving 190 bits unknown. */
const VISIBLE_LENGTH = PREFIX.length + 5;
const KEY = /^hg-[0-9A-Za-z]{43}$/;
/** Bytes from here on are drawn again, so that each character is equally likely. */
const UNBIASED_BELOW = 256 - (256 % ALPHABET.length);

export function generateKey(randomFill: RandomFill): string {
  const drawn = new Uint8Array(64);
  let key = PREFIX;
  while (key.length < PREFIX.length + RANDOM_LENGTH) {
    randomFill(drawn);
    for (const byte of drawn) {
      if (byte < UNBIASED_BELOW && key.length < PREFIX.length + RANDOM_LENGTH) key += ALPHABET[byte % ALPHABET.length];
    }
  }
  return key + checksum(key);
}

/** Whether the text has a key's shape and its checksum is right; not whether the key exists. */
export function isWellFormedKey(text: string): boolean {
  return KEY.test(text) && text.endsWith(checksum(text.slice(0, -CHECKSUM_LENGTH)));
}

export function visiblePrefix(key: string): string {
  return key.slice(0, VISIBLE_LENGTH);
}

/** Hexadecimal SHA-256, as it is stored and looked up. */
export function hashKey(key: string): string {
  return hash("sha256", key, "hex");
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = "";
  for (let index = 0; index < CHECKSUM_LENGTH; index++) {
    digits = (ALPHABET[rest % ALPHABET.length] ?? "") + digits;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return digits;
}
