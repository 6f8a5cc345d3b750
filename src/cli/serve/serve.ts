/**
 * Runs a gateway from start to stop. What it opens it closes in the reverse order: the following of the configuration,
 * gateway, stand-in simulator. The gateway's own stop drains and settles; this decides when, and what to tell.
 */
import type { Config } from "../../config/config.ts";
import { type Gateway, startGateway } from "../../gateway.ts";
import { createIdSource } from "../../kernel/ids.ts";
import { createFirstKey, hasTenant } from "../../tenancy/first-key.ts";
import type { CreatedKey } from "../../tenancy/keys.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../context.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { CliFailure } from "../failure.ts";
import { followConfig } from "./follow-config.ts";
import { explainListenError } from "./listening.ts";
import type { Output } from "../output.ts";
import { awaitStop, type StopRequests } from "./stopping.ts";
import { readVersion } from "../version.ts";
import { loadOptionsOf, loadSettingsWithKeys, noteWarnings } from "../workspace.ts";
import { chooseExampleModel } from "./example-model.ts";
import { describeWelcome, renderWelcome, type Welcome } from "./welcome.ts";
import { addFoundProviders, findProviders } from "./zero-config.ts";

export async function run(invocation: Invocation<unknown>): Promise<ExitCode> {
  const { context, output } = invocation;
  using stop = awaitStop(context);
  await using opened = new AsyncDisposableStack();
  const loaded = loadSettingsWithKeys(invocation);
  noteWarnings(invocation, loaded);
  const found = await findProviders(loaded.config, context, opened);
  const complete = (config: Config): Config => addFoundProviders(config, found);
  const gateway = opened.use(await start(complete(loaded.config), context));
  opened.use(followConfig(context, gateway, { load: loadOptionsOf(invocation), initial: loaded, complete }));
  const firstKey = await makeFirstKey(gateway, context);
  const welcome: Welcome = {
    url: gateway.url,
    dataDir: gateway.config.storage.dataDir,
    version: readVersion(),
    apiKey: firstKey?.plainKey ?? null,
    model: chooseExampleModel(gateway.config),
    simulated: found.simulatorUrl !== null,
    providers: Object.keys(gateway.config.providers),
  };
  output.ready(describeWelcome(welcome), () => renderWelcome(welcome));
  return await runUntilStopped(gateway, stop, output);
}

async function start(config: Config, { clock, randomFill }: CliContext): Promise<Gateway> {
  try {
    return await startGateway(config, { version: readVersion(), overrides: { clock, randomFill } });
  } catch (error) {
    const remedy = "Stop it, or choose another port with --port or HEADGATE_PORT; 0 takes any free one.";
    throw explainListenError(error, config.server.host, config.server.port, remedy);
  }
}

/** `null`: the store is not new. A machine that knows that by itself starts without the database that it shares. */
async function makeFirstKey({ store }: Gateway, context: CliContext): Promise<CreatedKey | null> {
  if (await hasTenant(store.journalDb)) return null;
  return createFirstKey({ ...context, db: store.db, ids: idsOf(context) });
}

/** Ends when everything is settled, or at once when asked twice. */
async function runUntilStopped(gateway: Gateway, stop: StopRequests, output: Output): Promise<ExitCode> {
  const reason = await stop.first;
  if (reason.kind === "signal") output.note(`${reason.signal}: finishing requests in flight. Again to stop at once.`);
  else gateway.telemetry.backgroundFailed("something that nobody handled", reason.error);
  const stopped = gateway.stop().then(() => "settled" as const);
  const asked = stop.second.then(() => "asked again" as const);
  if ((await Promise.race([stopped, asked])) === "asked again") {
    await gateway.stop(0);
    throw new CliFailure("interrupted", "Stopped at once: requests in flight were ended.");
  }
  return reason.kind === "signal" ? exitCodes.ok : exitCodes.failure;
}

function idsOf({ randomFill, clock }: CliContext): ReturnType<typeof createIdSource> {
  return createIdSource(randomFill, () => clock.wallMs());
}
