import { answered, cutOff } from "../outcome.ts";
import { any, whole, type Lines } from "./line.ts";

/** A gateway that dies. Tested by killed.test.ts. */
export const killedLines: Lines<"before the call" | "at work" | "when settled"> = {
  "before the call": any("The gateway is killed (`kill -9`) before the call", cutOff(0)),
  "at work": any("The gateway is killed while the provider is at work", cutOff(1)),
  "when settled": whole("The gateway is killed when the answer is recorded, but not delivered", {
    ...answered(),
    caller: { kind: "cut off" },
  }),
};
