/** All lines, as docs/reference/faults.md lists them, and the file of tests that strikes each of a group. */
import { leavingLines, slowCallerLines } from "./callers.ts";
import { clockLines } from "./clock.ts";
import { enduringLines } from "./enduring.ts";
import { keyLines } from "./keys.ts";
import { killedLines } from "./killed.ts";
import type { Lines } from "./line.ts";
import { misconfiguredLines } from "./misconfigured.ts";
import { overloadLines } from "./overload.ts";
import { sharedDatabaseLines } from "./shared-database.ts";
import { stalledLines } from "./stalled.ts";
import { stoppingLines } from "./stopping.ts";
import { diskLines, storageLines } from "./storage.ts";
import { timeLines } from "./time.ts";
import { unreachableLines } from "./unreachable.ts";

export interface LineGroup {
  readonly heading: string;
  readonly lines: Lines;
  /** Below `test/faults`. */
  readonly testedBy: string;
}

export const lineGroups: Readonly<Record<string, LineGroup>> = {
  unreachableLines: {
    heading: "The way to a provider",
    lines: unreachableLines,
    testedBy: "course/unreachable.test.ts",
  },
  misconfiguredLines: {
    heading: "Providers that are set up wrongly",
    lines: misconfiguredLines,
    testedBy: "course/misconfigured.test.ts",
  },
  stalledLines: {
    heading: "Refusals that do not end",
    lines: stalledLines,
    testedBy: "course/stalled.test.ts",
  },
  keyLines: { heading: "Several keys of a provider", lines: keyLines, testedBy: "course/keys.test.ts" },
  enduringLines: { heading: "Targets that go on failing", lines: enduringLines, testedBy: "course/enduring.test.ts" },
  timeLines: { heading: "Time that is up", lines: timeLines, testedBy: "time.test.ts" },
  leavingLines: { heading: "Callers who leave", lines: leavingLines, testedBy: "callers.test.ts" },
  slowCallerLines: { heading: "Callers who are slow", lines: slowCallerLines, testedBy: "slow-callers.test.ts" },
  overloadLines: { heading: "A gateway at its limits", lines: overloadLines, testedBy: "overload.test.ts" },
  stoppingLines: { heading: "A gateway that is stopped", lines: stoppingLines, testedBy: "shutdown.test.ts" },
  killedLines: { heading: "A gateway that is killed", lines: killedLines, testedBy: "killed.test.ts" },
  storageLines: { heading: "The gateway's store", lines: storageLines, testedBy: "storage.test.ts" },
  diskLines: { heading: "The disk", lines: diskLines, testedBy: "disk-full.test.ts" },
  sharedDatabaseLines: {
    heading: "A database that several processes share",
    lines: sharedDatabaseLines,
    testedBy: "shared-database.test.ts",
  },
  clockLines: { heading: "The clock", lines: clockLines, testedBy: "clock.test.ts" },
};
