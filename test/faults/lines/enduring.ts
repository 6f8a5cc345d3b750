import { answered, failed } from "../outcome.ts";
import { any, type LineCall, type Lines } from "./line.ts";

const unavailable: LineCall = { code: "upstream_overloaded", charged: "nothing yet" };
const answer: LineCall = { code: null, charged: "reported" };

/** Targets that go on failing. Tested by course/enduring.test.ts. */
export const enduringLines: Lines<
  "storm with another" | "storm alone" | "flapping with another" | "flapping alone" | "limited alone"
> = {
  "storm with another": any(
    "A target has been overloaded (529) a few times in a row: it is left alone, and another answers",
    answered(),
  ),
  "storm alone": any(
    "A target has been overloaded (529) a few times in a row, and there is no other: `retry-after` says for how long it is left alone",
    failed(503, "target_unavailable", { ending: "refused", attempts: 0 }),
    { isOfProvider: true },
  ),
  "limited alone": any(
    "A target has limited the rate (429), and there is no other: `retry-after` says the rest of the time that it asked for",
    failed(429, "target_limited", { ending: "refused", attempts: 0 }),
    { isOfProvider: true },
  ),
  "flapping with another": any(
    "A target is unavailable every other time (503), this time too, and another answers",
    answered(),
    { calls: [unavailable, answer] },
  ),
  "flapping alone": any(
    "A target is unavailable every other time (503), this time too, and there is no other: it is called again",
    answered(),
    { calls: [unavailable, answer] },
  ),
};
