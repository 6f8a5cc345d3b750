/**
 * Zero configuration: what runs on this machine is found by itself. A local Ollama is added with its models; if there
 * is still no provider at all, the simulator is started in this process, on a socket of its own, so that a new gateway
 * answers at once and says plainly that no real model does.
 *
 * Decided once, at start: a reload keeps what was found, unless the file now configures a provider of the same name.
 */
import type { Config, ProviderConfig } from "../../config/config.ts";
import { defaultProvider, withProvider } from "../../config/defaults.ts";
import { createSecret } from "../../config/secret.ts";
import type { Clock } from "../../kernel/clock.ts";
import { getJson } from "../../providers/get-json.ts";
import type { Transport } from "../../providers/transport.ts";

const OLLAMA_ORIGIN = "http://127.0.0.1:11434";
const PROBE_TIMEOUT_MS = 300;
const PROBE_BYTES_MAX = 1_048_576;

/** The pace of a person reading along, for the first answer that somebody sees. */
const SIMULATOR_SCRIPT = "ttft=150,rate=80";

export interface LocalProviders extends AsyncDisposable {
  /** Names of the models a local Ollama offers; `null`: there is none, or the file configures it. */
  readonly ollamaModels: readonly string[] | null;
  /** Whether only the simulator answers. */
  readonly simulating: boolean;
  /** The configuration with what was found. */
  amend(config: Config): Config;
}

export interface LocalProviderDeps {
  readonly clock: Clock;
  readonly transport: Transport;
}

export async function findLocalProviders(
  deps: LocalProviderDeps,
  config: Config,
  signal: AbortSignal,
): Promise<LocalProviders> {
  const found: Record<string, ProviderConfig> = {};
  const ollamaModels = config.providers["ollama"] === undefined ? await probeOllama(deps, signal) : null;
  if (ollamaModels !== null) found["ollama"] = defaultProvider("ollama", { models: ollamaModels });
  const simulating = Object.keys(config.providers).length === 0 && ollamaModels === null;
  const simulator = simulating ? await startSimulator(deps.clock) : null;
  if (simulator !== null) {
    const credentials = [{ name: "built-in", key: createSecret("sk-simulator", "built-in") }];
    const settings = { baseUrl: `${simulator.url}/v1`, credentials };
    found["simulator"] = defaultProvider("simulator", settings);
    found["simulator-anthropic"] = defaultProvider("simulator-anthropic", settings);
  }
  return {
    ollamaModels,
    simulating,
    amend: (current) =>
      Object.entries(found).reduce(
        (amended, [name, provider]) =>
          amended.providers[name] === undefined ? withProvider(amended, name, provider) : amended,
        current,
      ),
    async [Symbol.asyncDispose]() {
      await simulator?.[Symbol.asyncDispose]();
    },
  };
}

/** Loaded only when it is needed. */
async function startSimulator(clock: Clock): Promise<{ readonly url: string } & AsyncDisposable> {
  const simulator = await import("../../simulator/simulator.ts");
  return simulator.startSimulator({ clock }, { defaultScript: SIMULATOR_SCRIPT });
}

/** `GET /api/tags`, Ollama's list of local models (https://docs.ollama.com/api/tags). `null`: nobody answers like Ollama. */
async function probeOllama(deps: LocalProviderDeps, signal: AbortSignal): Promise<readonly string[] | null> {
  try {
    const answer = await getJson(
      deps.transport,
      deps.clock,
      {
        origin: OLLAMA_ORIGIN,
        path: "/api/tags",
        headers: [],
        timeoutMs: PROBE_TIMEOUT_MS,
        bytesMax: PROBE_BYTES_MAX,
      },
      signal,
    );
    return answer.status === 200 ? modelNames(answer.json) : null;
  } catch {
    signal.throwIfAborted();
    // No answer means no Ollama, for whatever reason.
    return null;
  }
}

function modelNames(json: unknown): readonly string[] | null {
  const models = (json as { models?: unknown } | null)?.models;
  if (!Array.isArray(models)) return null;
  return models.flatMap((model: unknown) => {
    const name = (model as { name?: unknown } | null)?.name;
    return typeof name === "string" ? [name] : [];
  });
}
