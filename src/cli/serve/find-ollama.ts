/**
 * Looks for an Ollama that runs beside the gateway, as Ollama's own programs do: at `OLLAMA_HOST`, else at its usual
 * port. Nothing but a list with a model in it counts as found: whatever else happens there is none, within the time
 * that a start can spare.
 *
 * Forms of the variable: https://github.com/ollama/ollama/blob/main/envconfig/config.go. `GET /v1/models` lists what
 * was pulled, in OpenAI's shape: https://docs.ollama.com/api/openai-compatibility
 */
import { isIPv6 } from "node:net";
import type { Environment } from "../../config/overrides.ts";
import type { Clock } from "../../kernel/clock.ts";
import { getJson } from "../../providers/get-json.ts";
import type { Transport } from "../../providers/transport.ts";
import { callableHost } from "../callable-host.ts";

export interface FoundOllama {
  /** With `/v1`, without a trailing slash. */
  readonly baseUrl: string;
  /** At least one. */
  readonly models: readonly string[];
}

export interface OllamaSearch {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly env: Environment;
}

/** Where nobody says that there is one. */
const ANSWER_WITHIN_MS = 150;
/** Where `OLLAMA_HOST` names one, which may be another machine, or busy. */
const NAMED_WITHIN_MS = 2_000;
const LIST_BYTES_MAX = 1024 * 1024;

/** By scheme: a URL without a port means the scheme's own, an address without a scheme Ollama's. */
const usualPorts: Readonly<Record<string, string>> = { none: "11434", http: "80", https: "443" };

export async function findOllama({ transport, clock, env }: OllamaSearch): Promise<FoundOllama | null> {
  const baseUrl = ollamaBaseUrl(env["OLLAMA_HOST"]);
  if (baseUrl === null) return null;
  const { origin, pathname } = new URL(baseUrl);
  const isNamed = (env["OLLAMA_HOST"] ?? "") !== "";
  const limits = { timeoutMs: isNamed ? NAMED_WITHIN_MS : ANSWER_WITHIN_MS, bytesMax: LIST_BYTES_MAX };
  const request = { origin, path: `${pathname}/models`, headers: [], ...limits };
  try {
    const { status, json } = await getJson(transport, clock, request, new AbortController().signal);
    const models = status === 200 ? readModels(json) : [];
    return models.length > 0 ? { baseUrl, models } : null;
  } catch {
    return null;
  }
}

/**
 * The address that a value of `OLLAMA_HOST` stands for; `null` if it is none. Also a server's form, an address to listen
 * on, names one to call: `0.0.0.0` is every address of this machine.
 */
export function ollamaBaseUrl(variable: string | undefined): string | null {
  const text = (variable ?? "").replace(/^[\s"']+|[\s"']+$/g, "");
  const [, scheme, authority = "", path = ""] = /^(?:([a-z]+):\/\/)?([^/]*)(.*)$/.exec(text) ?? [];
  const usualPort = usualPorts[scheme ?? "none"];
  if (usualPort === undefined || authority.includes("@")) return null;
  const bracketed = isIPv6(authority) ? `[${authority}]` : authority;
  const [, host = "", port = ""] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(bracketed) ?? [];
  const usablePort = /^\d+$/.test(port) && Number(port) <= 65_535 ? port : usualPort;
  const address = `${scheme ?? "http"}://${callableHost(host)}:${usablePort}`;
  return URL.canParse(address) ? `${new URL(address).origin}${path.replace(/\/+$/, "")}/v1` : null;
}

/** Empty for anything but a list of models. */
function readModels(json: unknown): readonly string[] {
  const { data } = (json ?? {}) as { readonly data?: unknown };
  if (!Array.isArray(data)) return [];
  const ids = data.map((model) => ((model ?? {}) as { readonly id?: unknown }).id);
  return ids.filter((id) => typeof id === "string" && id !== "") as readonly string[];
}
