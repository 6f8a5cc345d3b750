/** The configuration as the running gateway would see it, for commands that only look at it. */
import { openPriceCatalogue } from "../accounting/prices/refreshed.ts";
import type { Config } from "../config/config.ts";
import { createSnapshot, type Snapshot } from "../exchange/snapshot.ts";
import { randomUnit } from "../kernel/ids.ts";
import type { Invocation } from "./command.ts";
import type { CliContext } from "./context.ts";
import { addFoundProviders, lookForOllama } from "./serve/zero-config.ts";
import { readVersion } from "./version.ts";
import { loadSettings } from "./workspace.ts";

export interface ServedView {
  readonly snapshot: Snapshot;
  /** Whether nothing is configured or found, so that the built-in simulator would stand in. */
  readonly hasStandIn: boolean;
}

/** With the providers that `headgate serve` would find by itself. */
export async function viewAsServed(invocation: Invocation<unknown>): Promise<ServedView> {
  const { context } = invocation;
  const { config: configured } = loadSettings(invocation);
  const ollama = await lookForOllama(configured, context);
  const config = addFoundProviders(configured, { ollama, simulatorUrl: "http://127.0.0.1" });
  return { snapshot: viewGateway(config, context), hasStandIn: config !== configured && ollama === null };
}

/** Throws `invalid_argument` for a configuration that the gateway could not start with. */
export function viewGateway(config: Config, context: CliContext): Snapshot {
  return createSnapshot(config, {
    catalogue: openPriceCatalogue(config.storage.dataDir),
    random: () => randomUnit(context.randomFill),
    userAgent: `headgate/${readVersion()}`,
  });
}
