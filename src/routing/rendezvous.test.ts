import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/properties.ts";
import { drawOf, hashBytes } from "./rendezvous.ts";

interface Place {
  readonly name: string;
  readonly weight: number;
}

function winner(places: readonly Place[], key: number): string {
  const draws = places.map(({ name, weight }) => drawOf(key, hashBytes(Buffer.from(name), 0), weight));
  return places[draws.indexOf(Math.min(...draws))]?.name ?? "";
}

function keys(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => hashBytes(Buffer.from(`key ${index}`), 0));
}

const places = fc.uniqueArray(
  fc.record({ name: fc.string({ minLength: 1 }), weight: fc.double({ min: 0.01, max: 1000, noNaN: true }) }),
  { selector: ({ name }) => name, minLength: 2, maxLength: 6 },
);

test("the hash is MurmurHash3 of 32 bits", () => {
  const hash = (text: string, seed: number) => hashBytes(Buffer.from(text), seed) >>> 0;
  assert.equal(hash("", 0), 0);
  assert.equal(hash("", 1), 0x514e28b7);
  assert.equal(hash("hello", 0), 0x248bfa47);
  assert.equal(hash("hello, world", 0), 0x149bbb7f);
  assert.equal(hash("The quick brown fox jumps over the lazy dog", 0), 0x2e4ff723);
});

test("a place that goes away moves only the keys that it had", () => {
  fc.assert(
    fc.property(places, fc.nat(5), fc.integer(), (all, index, key) => {
      const gone = all[index % all.length];
      const before = winner(all, key);
      if (before === gone?.name) return;
      assert.equal(
        winner(
          all.filter((place) => place !== gone),
          key,
        ),
        before,
      );
    }),
  );
});

test("a place whose weight grows loses no key, and takes none from one place for another", () => {
  fc.assert(
    fc.property(places, fc.nat(5), fc.double({ min: 1, max: 10, noNaN: true }), fc.integer(), (all, index, by, key) => {
      const grown = all[index % all.length];
      const after = all.map((place) => (place === grown ? { ...place, weight: place.weight * by } : place));
      const [from, to] = [winner(all, key), winner(after, key)];
      assert.ok(from === to || to === grown?.name);
    }),
  );
});

test("each place gets its share of the keys, by weight", () => {
  const weighted = [
    { name: "openai/a", weight: 1 },
    { name: "openai/b", weight: 3 },
    { name: "openai/c", weight: 6 },
  ];
  const counts = new Map<string, number>();
  for (const key of keys(20_000)) {
    const name = winner(weighted, key);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const { name, weight } of weighted) {
    const share = (counts.get(name) ?? 0) / 20_000;
    // Five standard deviations of a share of 0.6 in so many draws are 0.017.
    assert.ok(Math.abs(share - weight / 10) < 0.017, `${name}: ${share}`);
  }
});
