import { createServer } from "node:net";
import { isDeepStrictEqual } from "node:util";
import type { ServerConfig } from "../../config/config.ts";
import { getJson } from "../../providers/get-json.ts";
import { callableHost } from "../callable-host.ts";
import type { AskDeps } from "./ask-deps.ts";
import { fail, type Finding, ok, reasonOf } from "./finding.ts";

const HEALTH_WITHIN_MS = 1000;
const HEALTH_BYTES_MAX = 1000;

/** Whether the gateway can listen, or does already. */
export async function checkPort(deps: AskDeps, { host, port }: ServerConfig): Promise<Finding> {
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
  if (await answersHealth(deps, host, port)) return ok(check, `${host}:${port} is a running gateway's`);
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
async function answersHealth({ transport, clock }: AskDeps, host: string, port: number): Promise<boolean> {
  const origin = `http://${callableHost(host)}:${port}`;
  const request = { origin, path: "/healthz", headers: [], timeoutMs: HEALTH_WITHIN_MS, bytesMax: HEALTH_BYTES_MAX };
  try {
    const { status, json } = await getJson(transport, clock, request, new AbortController().signal);
    return status === 200 && isDeepStrictEqual(json, { status: "ok" });
  } catch {
    return false;
  }
}
