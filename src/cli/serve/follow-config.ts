/**
 * The running gateway follows its configuration: a change of the file, or SIGHUP, checks everything anew, and building
 * the gateway's snapshot is the last part of the check. Either all of it is in force from the next request on, or
 * nothing has changed and the log says why.
 */
import type { LoadedConfig } from "../../config/check.ts";
import type { Config } from "../../config/config.ts";
import { renderProblems } from "../../config/file/problem.ts";
import type { LoadOptions } from "../../config/load.ts";
import { createConfigSource, type ReloadOutcome } from "../../config/reload.ts";
import type { Telemetry } from "../../telemetry/telemetry.ts";
import type { CliContext } from "../context.ts";

export interface FollowedConfig {
  readonly load: LoadOptions;
  /** What the gateway was started with, before `complete`. */
  readonly initial: LoadedConfig;
  /** Adds what was found without being configured. */
  readonly complete: (config: Config) => Config;
}

/** A `Gateway` is one. */
export interface ConfigFollower {
  readonly telemetry: Pick<Telemetry, "lifecycle" | "warn">;
  /** Throws a `HeadgateError` and changes nothing if the configuration is unusable. */
  replaceConfig(config: Config): void;
}

/** Until disposed. */
export function followConfig(
  { clock, process }: Pick<CliContext, "clock" | "process">,
  gateway: ConfigFollower,
  { load, initial, complete }: FollowedConfig,
): AsyncDisposable {
  const amend = (config: Config): Config => {
    const completed = complete(config);
    gateway.replaceConfig(completed);
    return completed;
  };
  const source = createConfigSource({ clock }, { load, initial, amend, signal: new AbortController().signal });
  source.subscribe((outcome) => tell(outcome, gateway.telemetry));
  const ignoreHangup = process.onSignal("SIGHUP", () => void source.reload());
  return {
    async [Symbol.asyncDispose]() {
      ignoreHangup();
      await source[Symbol.asyncDispose]();
    },
  };
}

function tell(outcome: ReloadOutcome, telemetry: ConfigFollower["telemetry"]): void {
  switch (outcome.kind) {
    case "applied":
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
