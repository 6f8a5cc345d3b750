import { failed } from "../outcome.ts";
import { any, type Lines } from "./line.ts";

/** A refusal of which `timeouts.endingMs` is waited for the rest: its status has said enough. Tested by course/stalled.test.ts. */
export const stalledLines: Lines<"400" | "429" | "503"> = {
  400: any(
    "The provider refuses the request (400) and never finishes saying why: `timeouts.endingMs` is waited for",
    failed(400, "upstream_rejected"),
  ),
  429: any(
    "The provider limits the rate for a minute (429) and never finishes saying why: the same",
    failed(429, "upstream_rate_limited", { retryAfter: 60 }),
    { next: "elsewhere" },
  ),
  503: any(
    "The provider is unavailable for a minute (503) and never finishes saying why: the same",
    failed(529, "upstream_overloaded", { retryAfter: 60, charged: "nothing yet" }),
    { next: "elsewhere" },
  ),
};
