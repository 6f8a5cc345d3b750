/** What each threshold would make of pairs whose similarity is known. */

export interface MeasuredPair {
  readonly isSame: boolean;
  /** Cosine; `null`: the two are never given each other's answers. */
  readonly similarity: number | null;
}

export interface ThresholdOutcome {
  readonly threshold: number;
  /** Of the pairs that are the same. */
  readonly trueHits: number;
  /** Of those that are different. */
  readonly falseHits: number;
}

export interface Evaluation {
  readonly same: number;
  readonly different: number;
  readonly outcomes: readonly ThresholdOutcome[];
  /** The lowest threshold whose share of false hits is within the bound. */
  readonly chosen: ThresholdOutcome | null;
}

const FROM_HUNDREDTHS = 80;
const TO_HUNDREDTHS = 99;

/** `falseShareMax`: from 0 to 1. */
export function evaluateThresholds(pairs: readonly MeasuredPair[], falseShareMax: number): Evaluation {
  const similaritiesOf = (isSame: boolean): readonly (number | null)[] =>
    pairs.filter((pair) => pair.isSame === isSame).map(({ similarity }) => similarity);
  const [same, different] = [similaritiesOf(true), similaritiesOf(false)];
  const outcomes: ThresholdOutcome[] = [];
  for (let hundredths = FROM_HUNDREDTHS; hundredths <= TO_HUNDREDTHS; hundredths++) {
    const threshold = hundredths / 100;
    const hits = (similarities: readonly (number | null)[]): number =>
      similarities.filter((similarity) => similarity !== null && similarity >= threshold).length;
    outcomes.push({ threshold, trueHits: hits(same), falseHits: hits(different) });
  }
  const chosen = outcomes.find(({ falseHits }) => falseHits <= falseShareMax * different.length) ?? null;
  return { same: same.length, different: different.length, outcomes, chosen };
}

/**
 * So many different pairs without a false hit show, with a confidence of 95 %, that no more than this share is one (the
 * rule of three).
 */
export function pairsToShow(falseShareMax: number): number {
  return falseShareMax === 0 ? Infinity : Math.ceil(3 / falseShareMax);
}
