import { randomInt } from "node:crypto";

const SEED = 1;

/** Where tests draw their cases from: `HEADGATE_TEST_SEED`, which is a number or `fresh`; else the same in each run. */
export function testSeed(): number {
  const asked = process.env["HEADGATE_TEST_SEED"];
  if (asked === "fresh") return randomInt(2 ** 31);
  const seed = Number(asked ?? SEED);
  if (!Number.isSafeInteger(seed)) throw new Error(`HEADGATE_TEST_SEED is a whole number or "fresh", not "${asked}".`);
  return seed;
}
