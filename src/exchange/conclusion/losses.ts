/**
 * What of a request could not be carried to its target, for a header and for the record: short whatever the request
 * was. A request of a thousand tools loses the same field a thousand times, and its own names are as long as it likes.
 */

const LOSSES_CHARS_MAX = 1_000;
const LOSS_CHARS_MAX = 100;

/** Places in lists are left out (`tools[].cache_control`), each field is named once, and the rest is counted. */
export function summarizeLosses(losses: readonly string[]): readonly string[] {
  if (losses.length === 0) return losses;
  const fields = [...new Set(losses.map((loss) => loss.replace(/\[\d+\]/g, "[]")))];
  const summary: string[] = [];
  let chars = 0;
  for (const field of fields) {
    const shown = field.length > LOSS_CHARS_MAX ? `${field.slice(0, LOSS_CHARS_MAX)}...` : field;
    chars += shown.length;
    if (chars > LOSSES_CHARS_MAX) return [...summary, `and ${fields.length - summary.length} more`];
    summary.push(shown);
  }
  return summary;
}
