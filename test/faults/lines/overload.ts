import { cutOff, failed } from "../outcome.ts";
import { any, whole, type Lines } from "./line.ts";

/** A gateway at its limits. Tested by overload.test.ts. */
export const overloadLines: Lines<"requests at the limit" | "connections at the limit"> = {
  "requests at the limit": any(
    "`limits.concurrentRequests` are running already",
    failed(503, "overloaded", { ending: "refused", retryAfter: 1, attempts: 0 }),
  ),
  "connections at the limit": whole("`limits.connections` are open already", cutOff(0), { isWordless: true }),
};
