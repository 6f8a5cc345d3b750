/**
 * "Did you mean …?": the candidates nearest to a mistyped word. A candidate of the form `provider/model` is also
 * compared by its part after the last `/`. Bounded work: words and candidates over 64 characters are not compared,
 * and candidates whose length alone puts them too far away cost nothing.
 */
const COMPARED_CHARS_MAX = 64;

/** At most `max` candidates, nearest first, ties in the candidates' order; none if nothing is near. */
export function nearest(word: string, candidates: Iterable<string>, max: number): string[] {
  const wanted = word.toLowerCase();
  if (wanted.length === 0 || wanted.length > COMPARED_CHARS_MAX) return [];
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  const found: { readonly candidate: string; readonly distance: number }[] = [];
  for (const candidate of candidates) {
    const lower = candidate.toLowerCase();
    const tail = lower.slice(lower.lastIndexOf("/") + 1);
    const distance = Math.min(editDistance(wanted, lower, limit), editDistance(wanted, tail, limit));
    if (distance <= limit) found.push({ candidate, distance });
  }
  return found
    .sort((a, b) => a.distance - b.distance)
    .slice(0, max)
    .map((entry) => entry.candidate);
}

/** Insertions, deletions, substitutions and swaps of neighbours from `a` to `b`; `Infinity` when over `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit || b.length > COMPARED_CHARS_MAX) return Infinity;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  const distance = previous[b.length] ?? Infinity;
  return distance <= limit ? distance : Infinity;
}
