/** A provider that a test writes by hand, for what the simulator cannot do. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { defaultProvider, withProvider } from "../../src/config/defaults.ts";
import { createSecret } from "../../src/config/secret.ts";
import type { Gateway } from "../../src/gateway.ts";

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
  const server = createServer((request, response) => {
    requests++;
    request.resume().on("end", () => answer(request, response));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  return {
    url,
    get requests() {
      return requests;
    },
    serveAs(gateway, name, key) {
      const credentials = key === undefined ? [] : [{ name: "test", key: createSecret(key, "test") }];
      const provider = defaultProvider("openai-compatible", {
        baseUrl: url,
        ...(credentials.length === 0 ? {} : { credentials }),
      });
      gateway.replaceConfig(withProvider(gateway.config, name, provider));
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
