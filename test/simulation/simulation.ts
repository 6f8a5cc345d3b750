/** This simulation, for whoever runs its seeds. */
import { invariants } from "./checks/violation.ts";
import type { Simulation } from "../support/seeds/simulation.ts";
import { runSeed } from "./run-seed.ts";

export const escrowSimulation: Simulation = {
  command: "npm run simulate",
  invariants,
  programs: {
    worker: new URL("./seed-worker.ts", import.meta.url),
    seek: new URL("./mutation/seek.ts", import.meta.url),
  },
  runSeed,
};
