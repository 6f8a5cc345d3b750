import { brokenOff, failed } from "../outcome.ts";
import { any, stream, type Lines } from "./line.ts";

const stopped = { ending: "shutdown", retryAfter: 1 } as const;

/** A gateway that is stopped. Tested by shutdown.test.ts. */
export const stoppingLines: Lines<"stopped waiting" | "stopped in stream" | "stopped in body"> = {
  "stopped waiting": any(
    "The gateway is stopped before the answer began",
    failed(503, "shutting_down", { ...stopped, charged: "input estimate" }),
  ),
  "stopped in stream": stream(
    "The gateway is stopped and the grace period ends in mid-stream",
    brokenOff("shutting_down", "shutdown"),
  ),
  "stopped in body": any(
    "The gateway is stopped while the request's body arrives",
    failed(503, "shutting_down", { ...stopped, attempts: 0 }),
  ),
};
