/**
 * `npm run simulate -- --seeds N [--from S]`: proves that limits hold. Each seed is a world of gateway processes with
 * the real process side of escrow (src/limits) over a bank in memory with the real arithmetic of accounts
 * (src/storage/escrow), on virtual clocks, under traffic, crashes, pauses, lost machines, a network that delays, loses,
 * repeats and reorders, a bank that is away, clocks that jump, and operators who change limits. After every event the
 * invariants in checks/violation.ts must hold. The same seed is the same world. For `--seed S`, `--trace` and
 * `--mutations` see test/support/seeds/simulate-command.ts.
 */
import { simulate } from "../support/seeds/simulate-command.ts";
import { arithmeticMutations } from "./mutation/arithmetic-mutations.ts";
import { modelMutations } from "./mutation/model-mutations.ts";
import { processMutations } from "./mutation/process-mutations.ts";
import { escrowSimulation } from "./simulation.ts";

const holds = await simulate(escrowSimulation, [...arithmeticMutations, ...processMutations, ...modelMutations]);
process.exitCode = holds ? 0 : 1;
