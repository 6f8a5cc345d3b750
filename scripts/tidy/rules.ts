/** The rules of STYLE.md that can be counted. Each key is what `npm test` calls the check. */
import { bannedCalls } from "./calls.ts";
import { decisionRecords, dependencyDecisions, documentLinks } from "./documents.ts";
import type { Rule } from "./finding.ts";
import { layerTable } from "./layering.ts";
import { barrels, fileNames, moduleState } from "./shape.ts";
import { exportCounts, fileLengths, folders, functionLengths } from "./sizes.ts";
import { machinePaths, registryHosts } from "./texts.ts";
import { sleepingTests, switchedTests, unseededTests } from "./tests.ts";

export const rules: Readonly<Record<string, Rule>> = {
  "imports follow the layer table": layerTable,
  "files are short": fileLengths,
  "functions are short": functionLengths,
  "files export few things": exportCounts,
  "folders are small and shallow": folders,
  "files are named for what they hold": fileNames,
  "no file is a list of re-exports": barrels,
  "no module holds mutable state": moduleState,
  "time, randomness, environment and network are injected": bannedCalls,
  "every test runs": switchedTests,
  "no test sleeps": sleepingTests,
  "random cases are the same in each run": unseededTests,
  "no text names a package registry": registryHosts,
  "no text holds a path of one machine": machinePaths,
  "links between documents resolve": documentLinks,
  "decision records have their four sections": decisionRecords,
  "every runtime dependency has a decision record": dependencyDecisions,
};
