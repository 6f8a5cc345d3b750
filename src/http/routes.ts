/** Which handler takes a path, and whose API it belongs to. Data only: adding an endpoint of a known dialect is one line. */
import type { DialectName } from "../dialects/dialect.ts";
import { nearest } from "../kernel/nearest.ts";
import { HeadgateError } from "../kernel/errors.ts";

export type Route =
  | { readonly kind: "inference" }
  | { readonly kind: "token-count" }
  | { readonly kind: "cost-estimate" }
  | { readonly kind: "route-explain" }
  | { readonly kind: "models" }
  | { readonly kind: "model"; readonly id: string }
  | { readonly kind: "healthz" }
  | { readonly kind: "readyz" };

interface Entry {
  readonly method: "GET" | "POST";
  readonly route: Route;
}

/** The dialect spoken at each path that takes inference requests. */
export const inferencePaths: ReadonlyMap<string, DialectName> = new Map<string, DialectName>([
  ["/v1/chat/completions", "openai-chat"],
  ["/v1/embeddings", "openai-embeddings"],
  ["/v1/messages", "anthropic-messages"],
]);

const routes: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  ...inferenceRoutes(),
  ["/v1/messages/count_tokens", { method: "POST", route: { kind: "token-count" } }],
  ["/v1/cost/estimate", { method: "POST", route: { kind: "cost-estimate" } }],
  ["/v1/route/explain", { method: "POST", route: { kind: "route-explain" } }],
  ["/v1/models", { method: "GET", route: { kind: "models" } }],
  ["/healthz", { method: "GET", route: { kind: "healthz" } }],
  ["/readyz", { method: "GET", route: { kind: "readyz" } }],
]);

function inferenceRoutes(): readonly (readonly [string, Entry])[] {
  return [...inferencePaths.keys()].map((path) => [path, { method: "POST", route: { kind: "inference" } }]);
}

/** The dialect of the API that a path belongs to, whether there is anything at it or not; `null`: of none, or of several. */
export function dialectAt(path: string): DialectName | null {
  const dialect = inferencePaths.get(path);
  if (dialect !== undefined) return dialect;
  for (const [above, spoken] of inferencePaths) {
    if (path.startsWith(above) && path[above.length] === "/") return spoken;
  }
  return null;
}

/** Of a request target in origin form, or in absolute form, which a server has to take, too (RFC 9112, 3.2.2). */
export function pathOf(target: string): string {
  const url = target.startsWith("/") ? target : target.replace(/^https?:\/\/[^/?]*/i, "");
  const query = url.indexOf("?");
  return (query === -1 ? url : url.slice(0, query)) || "/";
}

const MODEL_PREFIX = "/v1/models/";

/** `path` without the query. Throws `route_not_found` or `method_not_allowed`. */
export function findRoute(method: string, path: string): Route {
  const entry = routes.get(path) ?? modelEntry(path);
  if (entry === null) {
    const near = nearest(path, [...routes.keys()], 1)[0];
    const hint = near === undefined ? "The API is below /v1." : `Did you mean ${near}?`;
    throw new HeadgateError("route_not_found", `There is nothing at ${JSON.stringify(path.slice(0, 200))}. ${hint}`);
  }
  if (entry.method !== method && !(method === "HEAD" && entry.method === "GET")) {
    throw new HeadgateError("method_not_allowed", `${path.slice(0, 200)} takes ${entry.method}, not ${method}.`, {
      allow: entry.method === "GET" ? "GET, HEAD" : entry.method,
    });
  }
  return entry.route;
}

function modelEntry(path: string): Entry | null {
  if (!path.startsWith(MODEL_PREFIX) || path.length === MODEL_PREFIX.length) return null;
  return { method: "GET", route: { kind: "model", id: decodePath(path.slice(MODEL_PREFIX.length)) } };
}

function decodePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
