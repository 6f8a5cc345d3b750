import type { Ending } from "../../storage/records.ts";

/** HTTP statuses from `min` to `max`, both included. */
export interface StatusRange {
  readonly min: number;
  readonly max: number;
}

export const statusNotation = "a status such as 429, or a class such as 5xx";

export function parseStatusRange(text: string): StatusRange | undefined {
  if (/^[1-5]xx$/i.test(text)) {
    const first = Number(text[0]) * 100;
    return { min: first, max: first + 99 };
  }
  if (!/^[1-5][0-9]{2}$/.test(text)) return undefined;
  return { min: Number(text), max: Number(text) };
}

const endingPresence: Readonly<Record<Ending, true>> = {
  complete: true,
  refused: true,
  "provider-error": true,
  truncated: true,
  timeout: true,
  "caller-gone": true,
  shutdown: true,
  "gateway-error": true,
  killed: true,
};

/** Every ending a request can have; the record above does not compile when one is missing. */
export const endings: readonly Ending[] = Object.keys(endingPresence) as Ending[];
