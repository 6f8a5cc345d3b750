/**
 * Runs a gateway from start to stop. What it opens it closes in the reverse order: configuration source, gateway,
 * stand-in simulator. The gateway's own stop drains and settles; this decides when, and what to tell.
 */
import { renderProblems } from "../../config/file/problem.ts";
import { type ConfigSource, createConfigSource, type ReloadOutcome } from "../../config/reload.ts";
import { type Gateway, startGateway } from "../../gateway.ts";
import { createIdSource } from "../../kernel/ids.ts";
import { createFirstKey } from "../../tenancy/first-key.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../context.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { CliFailure } from "../failure.ts";
import { explainListenError } from "./listening.ts";
import type { Output } from "../output.ts";
import { awaitStop, type StopRequests } from "./stopping.ts";
import { readVersion } from "../version.ts";
import { loadOptionsOf, loadSettings, noteWarnings } from "../workspace.ts";
import { chooseExampleModel } from "./example-model.ts";
import { describeWelcome, renderWelcome, type Welcome } from "./welcome.ts";
import { addFoundProviders, findProviders } from "./zero-config.ts";

export async function run(invocation: Invocation<unknown>): Promise<ExitCode> {
  const { context, output } = invocation;
  using stop = awaitStop(context);
  await using opened = new AsyncDisposableStack();
  const loaded = loadSettings(invocation);
  noteWarnings(invocation, loaded);
  const found = await findProviders(loaded.config, context, opened);
  const source = opened.use(
    createConfigSource(context, {
      load: loadOptionsOf(invocation),
      initial: loaded,
      amend: (config) => addFoundProviders(config, found),
      signal: new AbortController().signal,
    }),
  );
  const gateway = await start(source, context);
  opened.use(gateway);
  followConfig(source, gateway, context, opened);
  const firstKey = await createFirstKey({ ...context, db: gateway.store.db, ids: idsOf(context) });
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

async function start(source: ConfigSource, { clock, randomFill }: CliContext): Promise<Gateway> {
  const { config } = source.current;
  try {
    return await startGateway(config, { version: readVersion(), overrides: { clock, randomFill } });
  } catch (error) {
    const remedy = "Stop it, or choose another port with --port or HEADGATE_PORT; 0 takes any free one.";
    throw explainListenError(error, config.server.host, config.server.port, remedy);
  }
}

/** The gateway's configuration follows the file and SIGHUP from here on. */
function followConfig(
  source: ConfigSource,
  gateway: Gateway,
  { process }: CliContext,
  opened: AsyncDisposableStack,
): void {
  opened.defer(source.subscribe((outcome) => applyReload(outcome, gateway)));
  opened.defer(process.onSignal("SIGHUP", () => void source.reload()));
}

function applyReload(outcome: ReloadOutcome, gateway: Gateway): void {
  const { telemetry } = gateway;
  switch (outcome.kind) {
    case "applied":
      try {
        gateway.replaceConfig(outcome.loaded.config);
      } catch (error) {
        telemetry.warn("configuration refused, the old one stays in force", { reason: String(error) });
        return;
      }
      telemetry.lifecycle("configuration reloaded", {
        warnings: outcome.loaded.warnings.length === 0 ? null : renderProblems(outcome.loaded.warnings),
        atNextStart: outcome.atNextStart.length === 0 ? null : outcome.atNextStart.join(", "),
      });
      return;
    case "refused":
      telemetry.warn(`configuration refused, the old one stays in force\n${renderProblems(outcome.problems)}`);
      return;
    case "unwatched":
      telemetry.warn("the configuration file is no longer watched; SIGHUP still reloads it", {
        reason: outcome.reason,
      });
  }
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
