/** Telemetry that objects to what must not happen: bugs that the gateway itself has noticed. */
import type { Telemetry } from "../../../src/telemetry/telemetry.ts";
import { describe, Violation } from "../checks/violation.ts";

export function createAlarm(violated: (violation: Violation) => void): Telemetry {
  return {
    requestEnded(record, failure) {
      if (failure?.code !== "internal") return;
      violated(new Violation("crash", `${record.requestId}: ${describe(failure)}`));
    },
    requestBroke: (requestId, cause) => violated(new Violation("crash", `${requestId}: ${describe(cause)}`)),
    recordLost: () => {},
    closingLate: () => {},
    backgroundFailed: () => {},
    lifecycle: () => {},
    warn: () => {},
  };
}
