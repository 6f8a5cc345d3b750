import { get } from "node:http";
import { createServer } from "node:net";
import type { ServerConfig } from "../../config/config.ts";
import { fail, type Finding, ok, reasonOf } from "./finding.ts";

const HEALTH_WITHIN_MS = 1000;

/** Whether the gateway can listen, or does already. */
export async function checkPort({ host, port }: ServerConfig): Promise<Finding> {
  const check = "port";
  if (port === 0) return ok(check, "any free port will be taken");
  const error = await tryToListen(host, port);
  if (error === null) return ok(check, `${host}:${port} is free`);
  if (error.code !== "EADDRINUSE") {
    return fail(
      check,
      `cannot listen on ${host}:${port}: ${reasonOf(error)}`,
      "Choose another address with --host or --port.",
    );
  }
  if (await answersHealth(host, port)) return ok(check, `${host}:${port} is a running gateway's`);
  return fail(
    check,
    `${host}:${port} is used by another program`,
    "Stop it, or choose another port with --port or HEADGATE_PORT.",
  );
}

function tryToListen(host: string, port: number): Promise<NodeJS.ErrnoException | null> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.ErrnoException | null>();
  const server = createServer();
  server.once("error", resolve);
  server.listen(port, host, () => server.close(() => resolve(null)));
  return promise;
}

/** A gateway answers `GET /healthz` with `{"status":"ok"}`. */
function answersHealth(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  const options = { host: reachable, port, path: "/healthz", agent: false, timeout: HEALTH_WITHIN_MS };
  const asked = get(options, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      text += chunk;
      if (text.length > 1000) response.destroy();
    });
    response.on("close", () => resolve(response.statusCode === 200 && text === '{"status":"ok"}'));
  });
  asked.on("timeout", () => asked.destroy());
  asked.on("error", () => resolve(false));
  return promise;
}
