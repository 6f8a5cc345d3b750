import { answered, brokenOff, cutOff, failed } from "../outcome.ts";
import { any, type Line, type Lines } from "./line.ts";

const unavailable = "storage_unavailable";
const refusedBefore = { attempts: 0, retryAfter: 1 } as const;

/** `charged` and recorded later; a whole answer that is lost is not worth asking for again at once. */
function lostAtEnd(title: string, charged: "reported" | "worst case"): Line {
  const later = charged === "reported" ? {} : ({ ending: "killed", code: null, status: 0 } as const);
  return {
    title,
    whole: { ...failed(503, unavailable, { ending: "gateway-error", retryAfter: null, charged }), ...later },
    stream: { ...brokenOff(unavailable, "gateway-error", charged), ...later },
  };
}

/** The gateway's own database. Tested by storage.test.ts. */
export const storageLines: Lines<
  | "locked before the call"
  | "locked at the end"
  | "locked past the deadline"
  | "locked for long before the call"
  | "locked for long at the end"
  | "locked at the stop"
  | "fails before the call"
  | "kept answers locked at the end"
> = {
  "locked before the call": any("The store is locked for a moment before the call: the call waits", answered()),
  "locked at the end": any("The store is locked for a moment when the answer is there: the caller waits", answered()),
  "locked past the deadline": any(
    "The store is locked before the call until the caller's deadline has passed: nobody is called",
    failed(504, "deadline_exceeded", { ending: "timeout", attempts: 0 }),
    { isOfProvider: true },
  ),
  "locked for long before the call": any(
    "The store is locked for five seconds before the call",
    failed(503, unavailable, { ...refusedBefore, ending: "gateway-error" }),
  ),
  "locked for long at the end": lostAtEnd(
    "The store is locked for five seconds when the answer is there; it is written when it can be",
    "reported",
  ),
  "locked at the stop": any("The store is locked while the gateway stops, and stays so; the log says so", cutOff(1)),
  "fails before the call": any(
    "The store fails every write before the call; the log says so",
    failed(503, unavailable, { ...refusedBefore, ending: null }),
  ),
  "kept answers locked at the end": any(
    "The file of kept answers is locked when the answer to a request with an `Idempotency-Key` is there: a repetition gets it from memory, and it is written when it can be",
    answered(),
  ),
};

/** The disk under it. Tested by disk-full.test.ts. */
export const diskLines: Lines<"full before the call" | "full at the end" | "full at the stop"> = {
  "full before the call": any(
    "The disk is full before the call; the log says so",
    failed(503, unavailable, { ...refusedBefore, ending: null }),
  ),
  "full at the end": lostAtEnd(
    "The disk is full when the answer is there; it is written when there is room",
    "reported",
  ),
  "full at the stop": lostAtEnd("The disk is full when the answer is there, and until the gateway stops", "worst case"),
};
