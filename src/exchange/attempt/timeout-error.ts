/** What is told where a timer ends an attempt: which bound it was, at which target, and what to do about it. */
import { HeadgateError } from "../../kernel/errors.ts";
import { describeDeadline } from "../deadline.ts";
import type { AttemptCall } from "./call.ts";
import type { TimerName } from "./timers.ts";

/** The timers that end an attempt. */
type EndingTimer = Exclude<TimerName, "slow" | "closing">;

export function timeoutError(name: EndingTimer, call: AttemptCall): HeadgateError {
  const { timeouts, providerName, deadline } = call;
  const target = call.target.name;
  switch (name) {
    case "connect":
      return new HeadgateError(
        "connect_timeout",
        `No connection to provider ${providerName} within ${timeouts.connectMs} ms (timeouts.connectMs). The operator checks its baseUrl and the network.`,
      );
    case "beginning":
      return new HeadgateError(
        "deadline_exceeded",
        `${describeDeadline(deadline)} was over before ${target} gave any output. Try again, or give it longer.`,
      );
    case "first-token":
      return new HeadgateError(
        "first_token_timeout",
        `${target} gave no output within ${timeouts.firstTokenMs} ms (timeouts.firstTokenMs). Try again; for a model that thinks for long the operator raises it.`,
      );
    case "idle":
    case "body":
      return new HeadgateError(
        "idle_timeout",
        `${target} fell silent for ${timeouts.idleMs} ms (timeouts.idleMs) in the middle of its answer. Try again; for a model that pauses for long the operator raises it.`,
      );
    case "ending":
      return new HeadgateError(
        "idle_timeout",
        `${target} said that a part of its answer was finished, and nothing of the rest came within ${timeouts.endingMs} ms (timeouts.endingMs). Try again.`,
      );
    case "reader":
    case "drain":
      return new HeadgateError(
        "client_closed",
        `The caller read nothing of the answer of ${target} for ${timeouts.idleMs} ms (timeouts.idleMs), so it was ended. Read a stream as it comes.`,
      );
    case "total":
      return totalError(call);
  }
}

function totalError({ target, timeouts, deadline, totalDueMs }: AttemptCall): HeadgateError {
  if (totalDueMs === deadline.totalDueMs) {
    return new HeadgateError(
      "deadline_exceeded",
      `${describeDeadline(deadline)} was over before ${target.name} had completed its answer. Give it longer, or ask for less output.`,
    );
  }
  return new HeadgateError(
    "total_timeout",
    `${target.name} did not complete its answer in time: timeouts.totalMs (${timeouts.totalMs} ms) bounds each call, and the longest of a model's targets all calls of a request. Ask for less output; for answers that take longer the operator raises it.`,
  );
}
