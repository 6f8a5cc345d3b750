import { seekFailure } from "../../support/seeds/programs.ts";
import { escrowSimulation } from "../simulation.ts";

await seekFailure(escrowSimulation);
