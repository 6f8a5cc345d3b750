/** How a provider fares in the course of a world: well, badly in some way, or now this, now that. */
import type { Random } from "../../simulation/world/random.ts";
import { behaviourNames } from "./behaviours.ts";

/** What a provider may do instead of answering well. */
export type Mishap =
  | { readonly kind: "behaviour"; readonly name: string }
  | { readonly kind: "status"; readonly status: number; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: "no-usage" };

export interface Mood {
  readonly untilMs: number;
  /** Of its calls go wrong. */
  readonly share: number;
  /** `null`: in any way. */
  readonly mishap: Mishap | null;
}

const SHORTEST_MS = 200;

/** Without gaps; the last one lasts for ever. `wallMs`: at the beginning of the world. */
export function drawMoods(random: Random, lastsMs: number, wallMs: number): readonly Mood[] {
  const moods: Mood[] = [];
  for (let atMs = 0; atMs < lastsMs;) {
    atMs += random.skewed(SHORTEST_MS, lastsMs);
    moods.push({ untilMs: atMs, ...drawTemper(random, wallMs) });
  }
  return moods;
}

function drawTemper(random: Random, wallMs: number): Pick<Mood, "share" | "mishap"> {
  if (random.chance(0.4)) return { share: 0.05, mishap: null };
  if (random.chance(0.4)) return { share: 0.5, mishap: null };
  return { share: random.pick([0.5, 1, 1]), mishap: drawMishap(random, wallMs) };
}

export function drawMishap(random: Random, wallMs: number): Mishap {
  if (random.chance(0.03)) return { kind: "no-usage" };
  if (random.chance(0.25)) {
    const status = random.pick(statuses);
    return { kind: "status", status, headers: status === 429 || status === 503 ? drawAdvice(random, wallMs) : {} };
  }
  const name = random.pick(behaviourNames);
  // It takes long to simulate, too.
  if (name === "floods before its first word" && random.chance(0.8)) return drawMishap(random, wallMs);
  return { kind: "behaviour", name };
}

const statuses = [400, 401, 403, 404, 408, 413, 422, 429, 429, 429, 429, 500, 500, 502, 503, 503, 504, 529, 529];
const YEAR_S = 31_536_000;

function drawAdvice(random: Random, wallMs: number): Readonly<Record<string, string>> {
  switch (random.below(6)) {
    case 0:
      return { "retry-after": String(random.between(0, 30)) };
    case 1:
      return { "retry-after-ms": String(random.between(1, 5_000)) };
    case 2:
      return { "retry-after": String(YEAR_S) };
    case 3:
      return { "retry-after": new Date(wallMs + random.between(-5_000, 60_000)).toUTCString() };
    case 4:
      return { "retry-after": "soon", "x-should-retry": random.pick(["true", "false"]) };
    default:
      return {};
  }
}
