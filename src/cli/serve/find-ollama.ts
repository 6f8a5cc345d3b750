import { request } from "node:http";
import type { Clock } from "../../kernel/clock.ts";
import { findProviderSpec } from "../../providers/catalogue.ts";

const ANSWER_WITHIN_MS = 150;
const LIST_BYTES_MAX = 1024 * 1024;

/**
 * The models of an Ollama on this machine, `null` if none answers at its usual port. `GET /v1/models` lists what was
 * pulled, in OpenAI's shape: https://docs.ollama.com/api/openai-compatibility
 */
export function findOllama({ clock }: { readonly clock: Clock }): Promise<readonly string[] | null> {
  const { promise, resolve } = Promise.withResolvers<readonly string[] | null>();
  const asked = request(`${findProviderSpec("ollama")?.baseUrl}/models`, { agent: false }, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      text += chunk;
      if (text.length > LIST_BYTES_MAX) resolve(null);
    });
    response.on("end", () => resolve(response.statusCode === 200 ? readModels(text) : null));
    response.on("error", () => resolve(null));
  });
  asked.on("error", () => resolve(null));
  asked.end();
  const timer = clock.setTimer(() => resolve(null), ANSWER_WITHIN_MS);
  return promise.finally(() => {
    timer.cancel();
    asked.destroy();
  });
}

/** `null` for anything else than a list with a model in it. */
function readModels(text: string): readonly string[] | null {
  try {
    const { data } = JSON.parse(text) as { readonly data?: readonly { readonly id?: unknown }[] };
    const names = (data ?? []).map(({ id }) => id).filter((id) => typeof id === "string");
    return names.length > 0 ? names : null;
  } catch {
    return null;
  }
}
