/** Telemetry that objects to what must not happen: bugs that the gateway itself has noticed. */
import type { Telemetry } from "../../../src/telemetry/telemetry.ts";
import { Violation } from "../checks/violation.ts";
import { describeThrown } from "../../support/seeds/violation.ts";

export function createAlarm(violated: (violation: Violation) => void): Telemetry {
  return {
    requestEnded(record, failure) {
      if (failure?.code !== "internal") return;
      violated(new Violation("crash", `${record.requestId}: ${describeThrown(failure)}`));
    },
    requestBroke: (requestId, cause) => violated(new Violation("crash", `${requestId}: ${describeThrown(cause)}`)),
    recordLost: () => {},
    closingLate: () => {},
    backgroundFailed: () => {},
    lifecycle: () => {},
    warn: () => {},
  };
}
