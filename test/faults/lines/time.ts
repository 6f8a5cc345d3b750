import { answered, brokenOff, failed } from "../outcome.ts";
import { any, stream, whole, type Lines } from "./line.ts";

const overdue = { ending: "timeout", charged: "input estimate" } as const;

/** Time that is up. Tested by time.test.ts. */
export const timeLines: Lines<
  | "deadline before output"
  | "deadline in stream"
  | "SDK's timeout in stream"
  | "deadline before call"
  | "total time"
  | "only comments"
  | "blank lines before"
  | "blank lines within"
  | "in pieces"
  | "whole stays open"
  | "stays open"
  | "stays open without usage"
> = {
  "deadline before output": any(
    "The caller's deadline, or its SDK's own timeout, passes before any output",
    failed(504, "deadline_exceeded", overdue),
  ),
  "deadline in stream": stream("The caller's deadline passes in mid-stream", brokenOff("deadline_exceeded", "timeout")),
  "SDK's timeout in stream": stream("An SDK's own timeout passes in mid-stream: it meant the beginning", answered()),
  "deadline before call": any(
    "The caller's deadline passes before a provider could be called",
    failed(504, "deadline_exceeded", { ending: "timeout", attempts: 0 }),
  ),
  "total time": {
    title: "The answer takes longer than `timeouts.totalMs`",
    whole: failed(504, "total_timeout", overdue),
    stream: brokenOff("total_timeout", "timeout"),
  },
  "only comments": stream(
    "The provider sends nothing but comments, pings and empty events for `timeouts.idleMs` in mid-stream",
    brokenOff("idle_timeout", "timeout"),
  ),
  "blank lines before": whole(
    "The provider sends the head of a whole answer at once, then blank lines while it works, and the answer after more than `timeouts.idleMs`",
    answered(),
  ),
  "blank lines within": whole(
    "The provider sends nothing but blank lines for `timeouts.idleMs` in the middle of a whole answer",
    failed(504, "idle_timeout", { ending: "timeout", charged: "estimate" }),
  ),
  "in pieces": whole("A whole answer comes in pieces, and takes longer than `timeouts.idleMs`", answered()),
  "whole stays open": whole(
    "The provider sends a whole answer and keeps its body open: `timeouts.endingMs` is waited for",
    answered(),
  ),
  "stays open": stream(
    "The provider finishes, says what was used, and keeps the stream open: nobody waits",
    answered(),
  ),
  "stays open without usage": stream(
    "The provider finishes and keeps the stream open without saying what was used: `timeouts.endingMs` is waited for",
    answered("estimate"),
  ),
};
