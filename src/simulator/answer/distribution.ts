/**
 * A number that a script gives either exactly (`300`) or as a distribution: `lognormal(median,sigma)`,
 * `normal(mean,deviation)`, `uniform(low,high)`, `exponential(mean)`. Samples are never negative.
 */
import type { Random } from "./random.ts";

export interface Distribution {
  readonly shape: "fixed" | "lognormal" | "normal" | "uniform" | "exponential";
  readonly first: number;
  readonly second: number;
}

const PARAMETERS: Readonly<Record<string, number>> = { lognormal: 2, normal: 2, uniform: 2, exponential: 1 };

/** `null`: not a number and not a distribution. */
export function parseDistribution(text: string): Distribution | null {
  const match = /^([a-z]+)\(([^()]*)\)$/.exec(text);
  if (!match) {
    const value = parseNumber(text);
    return value === null ? null : { shape: "fixed", first: value, second: 0 };
  }
  const shape = match[1] ?? "";
  const numbers = (match[2] ?? "").split(",").map((part) => parseNumber(part.trim()));
  if (!Object.hasOwn(PARAMETERS, shape) || numbers.length !== PARAMETERS[shape]) return null;
  const [first, second = 0] = numbers;
  if (first === null || first === undefined || second === null) return null;
  return { shape: shape as Distribution["shape"], first, second };
}

export function sample(distribution: Distribution, random: Random): number {
  const { first, second } = distribution;
  switch (distribution.shape) {
    case "fixed":
      return first;
    case "lognormal":
      return first * Math.exp(second * standardNormal(random));
    case "normal":
      return Math.max(0, first + second * standardNormal(random));
    case "uniform":
      return first + (second - first) * random.next();
    case "exponential":
      return -first * Math.log(1 - random.next());
  }
}

/** Box and Muller's transform of two uniform numbers. */
function standardNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

function parseNumber(text: string): number | null {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}
