/** This simulation, for whoever runs its seeds. */
import type { Simulation } from "../support/seeds/simulation.ts";
import { invariants } from "./checks/violation.ts";
import { runSeed } from "./run-seed.ts";

export const gatewaySimulation: Simulation = {
  command: "npm run simulate:gateway",
  invariants,
  programs: {
    worker: new URL("./seed-worker.ts", import.meta.url),
    seek: new URL("./mutation/seek.ts", import.meta.url),
  },
  runSeed,
};
