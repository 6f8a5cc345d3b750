/** Every command there is, in the order in which help lists them. */
import type { TreeNode } from "../command.ts";
import { budgetGroup } from "./budget.ts";
import { cacheGroup } from "./cache.ts";
import { configGroup } from "./configuration.ts";
import { doctorCommand, initCommand, serveCommand, simCommand } from "./running.ts";
import { pricesGroup } from "./prices.ts";
import { modelsCommand, requestsCommand, usageCommand } from "./reports.ts";
import { routeGroup } from "./route.ts";
import { completionCommand, helpCommand, versionCommand } from "./shell.ts";
import { keyGroup, projectGroup, tenantGroup } from "./tenancy.ts";

export const commandTree: readonly TreeNode[] = [
  serveCommand,
  initCommand,
  doctorCommand,
  configGroup,
  tenantGroup,
  projectGroup,
  keyGroup,
  budgetGroup,
  modelsCommand,
  routeGroup,
  pricesGroup,
  usageCommand,
  requestsCommand,
  cacheGroup,
  simCommand,
  completionCommand,
  versionCommand,
  helpCommand,
];
