import { answered, callerGone, failed } from "../outcome.ts";
import { any, stream, whole, type Lines } from "./line.ts";

/** Callers who leave. Tested by callers.test.ts. */
export const leavingLines: Lines<
  | "gone before body"
  | "gone in queue"
  | "gone waiting"
  | "gone in stream"
  | "gone at delivery"
  | "gone waiting, drained"
  | "gone in stream, drained"
> = {
  "gone before body": any("The caller leaves before the request is complete", callerGone(499, "nothing", 0)),
  "gone in queue": any("The caller leaves while the request waits for its turn", callerGone(499, "nothing", 0)),
  "gone waiting": any(
    "The caller leaves while waiting for the answer; the provider is told within 100 ms",
    callerGone(499, "input estimate"),
  ),
  "gone in stream": stream(
    "The caller leaves in mid-stream; the provider is told within 100 ms, and may ignore it",
    callerGone(200, "estimate"),
  ),
  "gone at delivery": whole("The caller leaves while the whole answer is delivered", {
    ...answered(),
    caller: { kind: "gone" },
  }),
  "gone waiting, drained": any(
    "The caller leaves while waiting for the answer, with `callerGone: drain`",
    callerGone(499, "drained"),
  ),
  "gone in stream, drained": stream(
    "The caller leaves in mid-stream, with `callerGone: drain`",
    callerGone(200, "drained"),
  ),
};

/** Callers who are slow. Tested by slow-callers.test.ts. */
export const slowCallerLines: Lines<
  "never reads" | "reads slowly" | "sends its head slowly" | "sends its body slowly"
> = {
  "never reads": stream(
    "The caller reads nothing for `timeouts.idleMs`; the provider is paused meanwhile",
    callerGone(200, "estimate"),
  ),
  "reads slowly": stream("The caller reads slowly, but reads", answered()),
  "sends its head slowly": whole(
    "The caller sends the head of its request slowly (slow loris)",
    failed(408, "header_timeout", { ending: "refused", attempts: 0 }),
    { isWordless: true },
  ),
  "sends its body slowly": any(
    "The caller sends the body of its request slowly",
    failed(408, "body_timeout", { ending: "refused", attempts: 0 }),
  ),
};
