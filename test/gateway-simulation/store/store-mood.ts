/** How the store fares in the course of a world. */
import type { Random } from "../../simulation/world/random.ts";

export interface StoreMood {
  readonly untilMs: number;
  /** About how long a commit takes, and a refusal. */
  readonly commitMs: number;
  readonly refuses: boolean;
  /** Of commits that are made and seem to have failed. */
  readonly forgetsToSay: number;
  /** The bank cannot be asked. */
  readonly bankAway: boolean;
  /** Kept answers cannot be asked for, nor written. */
  readonly answersAway: boolean;
}

export const soundStore: StoreMood = {
  untilMs: Infinity,
  commitMs: 0.3,
  refuses: false,
  forgetsToSay: 0,
  bankAway: false,
  answersAway: false,
};

/** Mostly sound; the last mood lasts for ever. */
export function drawStoreMoods(random: Random, lastsMs: number): readonly StoreMood[] {
  if (random.chance(0.4)) return [soundStore];
  const moods: StoreMood[] = [];
  for (let atMs = 0; atMs < lastsMs;) {
    const commitMs = random.skewed(1, 20) / 10;
    atMs += random.skewed(lastsMs / 20, lastsMs);
    moods.push({ ...soundStore, untilMs: atMs, commitMs });
    atMs += random.skewed(100, lastsMs / 4);
    moods.push({ ...soundStore, ...drawTrouble(random), untilMs: atMs });
  }
  return [...moods, soundStore];
}

function drawTrouble(random: Random): Partial<StoreMood> {
  switch (random.below(4)) {
    case 0:
      return { commitMs: random.skewed(5, 3_000) };
    case 1:
      return { refuses: true, commitMs: random.skewed(1, 5_000), bankAway: true, answersAway: true };
    case 2:
      return { forgetsToSay: 0.5 };
    default:
      // The journal is the machine's own, the database of all is gone.
      return { bankAway: true, answersAway: true };
  }
}
