/** A provider that a test writes by hand, for what the simulator cannot do. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { defaultProvider, withProvider } from "../../src/config/defaults.ts";
import { createSecret } from "../../src/config/secret.ts";
import type { Gateway } from "../../src/gateway.ts";
import { startLocalServer } from "../support/local-server.ts";

export interface Upstream extends AsyncDisposable {
  readonly url: string;
  /** Requests so far. */
  readonly requests: number;
  /** From now on it is the provider of this name, in OpenAI's dialect; called with this key, if one is given. */
  serveAs(gateway: Gateway, name: string, key?: string): void;
}

/** Called with each request once its body has come. */
export async function startUpstream(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Upstream> {
  let requests = 0;
  const server = await startLocalServer((request, response) => {
    requests++;
    request.resume().on("end", () => answer(request, response));
  });
  const url = `${server.url}/v1`;
  return {
    url,
    get requests() {
      return requests;
    },
    serveAs(gateway, name, key) {
      const credentials = key === undefined ? {} : { credentials: [{ name: "test", key: createSecret(key, "test") }] };
      const provider = defaultProvider("openai-compatible", { baseUrl: url, ...credentials });
      gateway.replaceConfig(withProvider(gateway.config, name, provider));
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
