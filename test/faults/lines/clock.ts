import { answered, failed } from "../outcome.ts";
import { any, type Lines } from "./line.ts";

/** The machine's clock. Tested by clock.test.ts. */
export const clockLines: Lines<"forward" | "back" | "deadline"> = {
  forward: any("The clock is set forward by three days while the answer is under way", answered()),
  back: any("The clock is set back by three days while the answer is under way", answered()),
  deadline: any(
    "The clock is set, either way, while the caller's deadline runs: the deadline is as long as it was",
    failed(504, "deadline_exceeded", { ending: "timeout", charged: "input estimate" }),
  ),
};
