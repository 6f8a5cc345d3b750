import { failed } from "../outcome.ts";
import { any, type Lines } from "./line.ts";

/** What would be the same the next time. Tested by course/misconfigured.test.ts. */
export const misconfiguredLines: Lines<"redirect" | "unknown encoding" | "refusal in unknown encoding"> = {
  redirect: any(
    "The provider answers with a redirect (3xx), which is not followed",
    failed(502, "upstream_malformed"),
    { next: "elsewhere" },
  ),
  "unknown encoding": any(
    "The provider encodes its answer in a way that the gateway does not know",
    failed(502, "upstream_malformed", { charged: "input estimate" }),
    { next: "elsewhere" },
  ),
  "refusal in unknown encoding": any(
    "The provider refuses the request (400) and encodes the reason in a way that the gateway does not know: the status is told",
    failed(400, "upstream_rejected"),
  ),
};
