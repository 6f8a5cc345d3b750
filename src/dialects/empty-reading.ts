import type { ResponseReading } from "./dialect.ts";

/** Of an answer of which nothing has come yet. */
export function emptyReading(): ResponseReading {
  return {
    id: null,
    model: null,
    usage: null,
    usageIsDoubtful: false,
    serviceTier: null,
    finish: null,
    outputBytes: 0,
  };
}
