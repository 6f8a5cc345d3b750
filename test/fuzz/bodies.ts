import { fc } from "../support/properties.ts";
/** Values and bytes that a careless or hostile caller might send: most of each is good, since such bodies get furthest. */

export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("Hi", "water", "Grüße 🌍") },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
  { weight: 1, arbitrary: fc.constant("\ud800") },
);
const scalar: fc.Arbitrary<unknown> = fc.oneof(
  text,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constantFrom(null, 0, -1, 1, 2 ** 53, 1e308),
);
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  scalar,
  fc.jsonValue({ maxDepth: 3 }),
  fc.array(scalar, { maxLength: 3 }),
);

/** Now and then anything at all in place of what is good. */
export function mostly<Good>(good: fc.Arbitrary<Good>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 40, arbitrary: good }, { weight: 1, arbitrary: anything });
}

/** One change to the bytes of a good body. */
interface Mutation {
  readonly at: number;
  readonly remove: number;
  readonly insert: Uint8Array;
}

const tokens = ["{", "}", "[", "]", ",", ":", '"', "\\", "\\u", "null", "1", " ", "\u0000", "\ufeff", "é"];
const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.nat({ max: 4 }),
  insert: fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 3 }) },
    { weight: 4, arbitrary: fc.constantFrom(...tokens.map((token) => Buffer.from(token))) },
  ),
});

/** Good bodies with some bytes taken away and others put in. */
export function damaged(bodies: fc.Arbitrary<object>): fc.Arbitrary<Buffer> {
  return fc.tuple(bodies, fc.array(mutation, { minLength: 1, maxLength: 2 })).map(([body, changes]) => {
    let bytes = Buffer.from(JSON.stringify(body));
    for (const { at, remove, insert } of changes) {
      const start = Math.floor(at * bytes.length);
      bytes = Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)]);
    }
    return bytes;
  });
}

export const randomBodies: fc.Arbitrary<Buffer> = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
