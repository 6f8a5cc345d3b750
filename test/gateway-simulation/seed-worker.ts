import { serveSeeds } from "../support/seeds/programs.ts";
import { gatewaySimulation } from "./simulation.ts";

serveSeeds(gatewaySimulation);
