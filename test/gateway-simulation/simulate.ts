/**
 * `npm run simulate:gateway -- --seeds N [--from S]`: proves that every request ends well or honestly, whatever goes wrong.
 * Each seed is a world of one gateway process, or of two that share a store, with the real exchange, routes, health, relay,
 * queues, limits, prices, keys and caches, on a virtual clock; between callers that leave, read slowly, set deadlines and
 * ask again, providers that fail in every way there is, and a store that is slow, refuses or is away. Processes are stopped
 * or killed in the midst of it, and clocks are set. After every event the invariants in checks/violation.ts must hold. The
 * same seed is the same world. For `--seed S`, `--trace` and `--mutations` see test/support/seeds/simulate-command.ts.
 */
import { simulate } from "../support/seeds/simulate-command.ts";
import { attemptMutations } from "./mutation/attempt-mutations.ts";
import { conclusionMutations } from "./mutation/conclusion-mutations.ts";
import { courseMutations } from "./mutation/course-mutations.ts";
import { dialectMutations } from "./mutation/dialect-mutations.ts";
import { processMutations } from "./mutation/process-mutations.ts";
import { routingMutations } from "./mutation/routing-mutations.ts";
import { sharingMutations } from "./mutation/sharing-mutations.ts";
import { gatewaySimulation } from "./simulation.ts";

const holds = await simulate(gatewaySimulation, [
  ...courseMutations,
  ...attemptMutations,
  ...conclusionMutations,
  ...dialectMutations,
  ...processMutations,
  ...routingMutations,
  ...sharingMutations,
]);
process.exitCode = holds ? 0 : 1;
