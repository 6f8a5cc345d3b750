import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { systemRandomFill } from "../kernel/ids.ts";
import { generateKey, hashKey, isWellFormedKey, visiblePrefix } from "./key-format.ts";

test("a generated key has the shape that scanners look for, and its checksum holds", () => {
  const key = generateKey(systemRandomFill);
  assert.match(key, /^hg-[0-9A-Za-z]{43}$/);
  assert.ok(isWellFormedKey(key));
  assert.notEqual(key, generateKey(systemRandomFill));
});

test("changing, dropping or doubling any one character is noticed", () => {
  const key = generateKey(systemRandomFill);
  fc.assert(
    fc.property(fc.nat(key.length - 1), fc.constantFrom("0", "a", "Z", "-", "é"), (at, character) => {
      const changed = key.slice(0, at) + character + key.slice(at + 1);
      assert.equal(isWellFormedKey(changed), changed === key);
      assert.ok(!isWellFormedKey(key.slice(0, at) + key.slice(at + 1)));
      assert.ok(!isWellFormedKey(key.slice(0, at) + character + key.slice(at)));
    }),
  );
});

test("bytes that would favour some characters are drawn again", () => {
  const pattern = [255, 248, 0, 61];
  const key = generateKey((buffer) => {
    for (let index = 0; index < buffer.length; index++) buffer[index] = pattern[index % pattern.length] ?? 0;
  });
  assert.match(key.slice(3, 40), /^(0z)+0$/);
});

test("the visible prefix shows the beginning only, and the hash is SHA-256 in hexadecimal", () => {
  assert.equal(visiblePrefix("hg-abcdefghij"), "hg-abcde");
  assert.equal(hashKey("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
