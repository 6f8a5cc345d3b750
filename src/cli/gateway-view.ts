/** The configuration as the running gateway would see it, for commands that only look at it. */
import type { PriceCatalogue } from "../accounting/prices/catalogue.ts";
import { openPriceCatalogue } from "../accounting/prices/refreshed.ts";
import type { Config } from "../config/config.ts";
import { createSnapshot, type Snapshot } from "../exchange/snapshot.ts";
import { randomUnit } from "../kernel/ids.ts";
import type { CliContext } from "./context.ts";
import { readVersion } from "./version.ts";

export interface GatewayView {
  readonly snapshot: Snapshot;
  readonly catalogue: PriceCatalogue;
}

/** Throws `invalid_argument` for a configuration that the gateway could not start with. */
export function viewGateway(config: Config, context: CliContext): GatewayView {
  const catalogue = openPriceCatalogue(config.storage.dataDir);
  const snapshot = createSnapshot(config, {
    catalogue,
    random: () => randomUnit(context.randomFill),
    userAgent: `headgate/${readVersion()}`,
  });
  return { snapshot, catalogue };
}
