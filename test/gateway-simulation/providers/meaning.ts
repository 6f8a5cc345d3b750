/** What texts of the simulation mean, as its embeddings models see it: vectors of length 1. */
import { Random } from "../../simulation/world/random.ts";
import type { Phrase } from "../callers/wording.ts";

const DIMENSIONS = 8;

/** How far a phrase leads away from what is plainly asked, in radians. */
const turns: Readonly<Record<Phrase, number>> = { plain: 0, politely: 0.2, otherwise: 1 };

/** Requests whose numbers are so far apart mean the same to it: vectors hardly tell numbers. */
const ALIKE = 7;

/** Of the request of that number. */
export function meaningOf(number: number, phrase: Phrase): readonly number[] {
  const random = new Random(number % ALIKE);
  const draw = (): number[] => Array.from({ length: DIMENSIONS }, () => random.unit() - 0.5);
  const plain = toUnit(draw());
  const aside = draw();
  const along = dot(plain, aside);
  const across = toUnit(aside.map((value, at) => value - along * (plain[at] ?? 0)));
  const turn = turns[phrase];
  return plain.map((value, at) => round(value * Math.cos(turn) + (across[at] ?? 0) * Math.sin(turn)));
}

/** The cosine between two of them. */
export function similarityOf(one: readonly number[], other: readonly number[]): number {
  return dot(one, other) / Math.hypot(...one) / Math.hypot(...other);
}

function dot(one: readonly number[], other: readonly number[]): number {
  return one.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0);
}

function toUnit(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** As it is written on the wire. */
function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
