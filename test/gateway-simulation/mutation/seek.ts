import { seekFailure } from "../../support/seeds/programs.ts";
import { gatewaySimulation } from "../simulation.ts";

await seekFailure(gatewaySimulation);
