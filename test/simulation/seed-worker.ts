import { serveSeeds } from "../support/seeds/programs.ts";
import { escrowSimulation } from "./simulation.ts";

serveSeeds(escrowSimulation);
