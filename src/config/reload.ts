/**
 * The configuration in force and its replacement while the gateway runs. A reload reads and checks everything; then
 * the new snapshot takes the place of the old one in one assignment, or the old one stays and the problems are told.
 * There is no state in between, and whoever holds a snapshot keeps it.
 *
 *   watched ─ change ─▶ settling (each change begins anew) ─ 100 ms ─▶ reload ─▶ watched
 *
 * Options read only at start keep their value; a change of one is told. SIGHUP is the process's: it calls `reload`.
 */
import type { Clock, Timer } from "../kernel/clock.ts";
import { HeadgateError } from "../kernel/errors.ts";
import type { LoadedConfig } from "./check.ts";
import type { Config } from "./config.ts";
import { fieldsOf } from "./join/context.ts";
import { loadConfig, type LoadOptions, locateConfig } from "./load.ts";
import type { ConfigProblem } from "./file/problem.ts";
import { settableOptions } from "./options/options.ts";
import { watchFile, type WatchFile } from "./watch.ts";

export interface ConfigSourceDeps {
  readonly clock: Clock;
  /** Default: the file system's notifications. */
  readonly watch?: WatchFile;
}

export interface ConfigSourceOptions {
  readonly load: LoadOptions;
  /** What `loadConfig` gave with the same options. */
  readonly initial: LoadedConfig;
  /**
   * Makes of every checked configuration what is in force, e.g. adds a provider found on this machine. May throw a
   * `HeadgateError` to refuse it, so that what is built of a configuration is part of its check.
   */
  readonly amend?: (config: Config) => Config;
  /** Whether a change of the file reloads by itself. Default true. */
  readonly watch?: boolean;
  /** Ends the watching, as disposing does. */
  readonly signal: AbortSignal;
}

export type ReloadOutcome =
  | {
      readonly kind: "applied";
      readonly loaded: LoadedConfig;
      /** Paths of options that changed but take effect at the next start. */
      readonly atNextStart: readonly string[];
    }
  | { readonly kind: "refused"; readonly problems: readonly ConfigProblem[] }
  /** The file is no longer watched; `reload` still works. */
  | { readonly kind: "unwatched"; readonly reason: string };

export interface ConfigSource extends AsyncDisposable {
  /** The configuration in force, amended. */
  readonly current: LoadedConfig;
  /** Never throws for bad configuration. Listeners are told before it returns; a listener that throws ends it. */
  reload(): ReloadOutcome;
  /** Told of every outcome, also of reloads that a change of the file began. Returns the end of the subscription. */
  subscribe(listener: (outcome: ReloadOutcome) => void): () => void;
}

const SETTLE_MS = 100;

export function createConfigSource(deps: ConfigSourceDeps, options: ConfigSourceOptions): ConfigSource {
  return new WatchedConfig(deps, options);
}

class WatchedConfig implements ConfigSource {
  readonly #clock: Clock;
  readonly #options: ConfigSourceOptions;
  readonly #listeners = new Set<(outcome: ReloadOutcome) => void>();
  readonly #closing = new AbortController();
  #current: LoadedConfig;
  #settling: Timer | null = null;

  constructor(deps: ConfigSourceDeps, options: ConfigSourceOptions) {
    this.#clock = deps.clock;
    this.#options = options;
    this.#current = this.#amend(options.initial);
    if (options.watch === false) return;
    const signal = AbortSignal.any([options.signal, this.#closing.signal]);
    signal.addEventListener("abort", () => this.#settling?.cancel(), { once: true });
    const { path } = locateConfig(options.load);
    const failed = (reason: string): void => this.#tell({ kind: "unwatched", reason });
    (deps.watch ?? watchFile)(path, () => this.#settle(signal), failed, signal);
  }

  get current(): LoadedConfig {
    return this.#current;
  }

  reload(): ReloadOutcome {
    const outcome = this.#replace();
    this.#tell(outcome);
    return outcome;
  }

  subscribe(listener: (outcome: ReloadOutcome) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#listeners.clear();
  }

  #settle(signal: AbortSignal): void {
    this.#settling?.cancel();
    if (!signal.aborted) this.#settling = this.#clock.setTimer(() => this.reload(), SETTLE_MS);
  }

  #replace(): ReloadOutcome {
    const checked = loadConfig(this.#options.load);
    if (!checked.ok) return { kind: "refused", problems: checked.problems };
    const { file } = this.#current;
    if (file !== null && checked.loaded.file === null) return refused(file, "the file is gone", "Put it back.");
    const { loaded, changed } = keepStartValues(checked.loaded, this.#current);
    try {
      this.#current = this.#amend(loaded);
    } catch (error) {
      if (!(error instanceof HeadgateError)) throw error;
      return refused(file ?? "configuration", error.message.replace(/\.$/, ""), null);
    }
    return { kind: "applied", loaded: this.#current, atNextStart: changed };
  }

  #amend(loaded: LoadedConfig): LoadedConfig {
    return { ...loaded, config: this.#options.amend?.(loaded.config) ?? loaded.config };
  }

  #tell(outcome: ReloadOutcome): void {
    for (const listener of this.#listeners) listener(outcome);
  }
}

function refused(source: string, message: string, suggestion: string | null): ReloadOutcome {
  return { kind: "refused", problems: [{ source, path: "", line: null, column: null, message, suggestion }] };
}

interface StartValuesKept {
  readonly loaded: LoadedConfig;
  /** Paths of those that the new configuration would have changed. */
  readonly changed: readonly string[];
}

/** The new configuration with the running values of the options that are read only at start, and their origins. */
function keepStartValues(next: LoadedConfig, running: LoadedConfig): StartValuesKept {
  const changed: string[] = [];
  const origins = new Map(next.origins);
  const config: Record<string, Record<string, unknown>> = {};
  for (const [section, value] of Object.entries(next.config)) config[section] = { ...fieldsOf(value) };
  for (const { path, option } of settableOptions()) {
    const [section = "", name = ""] = path.split(".");
    const fields = config[section];
    const kept = fieldsOf(fieldsOf(running.config)[section])[name];
    if (!option.restart || fields === undefined || fields[name] === kept) continue;
    changed.push(path);
    fields[name] = kept;
    origins.set(path, running.origins.get(path) ?? "default");
  }
  // The same sections with the same fields: only values of the same option took each other's place.
  return { loaded: { ...next, config: config as unknown as Config, origins }, changed };
}
