import { answered, failed } from "../outcome.ts";
import { any, type Lines } from "./line.ts";

/** A database that several processes share. Tested by shared-database.test.ts. */
export const sharedDatabaseLines: Lines<"under way" | "under a key" | "in hand" | "beyond"> = {
  "under way": any("The shared database is gone for ten seconds while the answer is under way", answered()),
  "under a key": any(
    "The shared database is gone for ten seconds, and the answer to a request with an `Idempotency-Key` is there before it is back: a repetition gets it from memory, and it is written afterwards",
    answered(),
  ),
  "in hand": any(
    "The shared database is gone, and what this process was granted of the allowances suffices",
    answered(),
  ),
  beyond: any(
    "The shared database is gone, and the request needs more than was granted",
    failed(503, "storage_unavailable", { ending: "gateway-error", attempts: 0, retryAfter: 1 }),
  ),
};
