import { answered, failed } from "../outcome.ts";
import { any, type LineCall, type Lines } from "./line.ts";

const refused: LineCall = { code: "upstream_credentials", charged: "nothing" };
const limited: LineCall = { code: "upstream_rate_limited", charged: "nothing" };
const answer: LineCall = { code: null, charged: "reported" };

/** Several keys of a provider. Tested by course/keys.test.ts. */
export const keyLines: Lines<"one refused" | "all refused" | "one limited"> = {
  "one refused": any(
    "One of several keys is refused (401, 402, 403): another is used at once, and from then on",
    answered(),
    { calls: [refused, answer] },
  ),
  "all refused": any(
    "All of several keys are refused: each is used once, and the caller's own key is not to blame",
    failed(502, "upstream_credentials"),
    { calls: [refused, refused] },
  ),
  "one limited": any("The rate of one of several keys is limited for long (429): another is used at once", answered(), {
    calls: [limited, answer],
  }),
};
