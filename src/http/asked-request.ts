/**
 * A question about a request that is not made: `{"path": "/v1/chat/completions", "request": {…}}`, the request exactly as
 * it would be sent to that path. `path` may be left out; it is then that of chat completions.
 */
import type { Dialect, RequestView } from "../dialects/dialect.ts";
import { findDialect } from "../dialects/registry.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { HeadgateError } from "../kernel/errors.ts";
import { parseJsonDocument, type JsonDocument } from "../kernel/json-document.ts";
import { inferencePaths } from "./routes.ts";

const DEFAULT_PATH = "/v1/chat/completions";

export interface AskedRequest {
  /** Of the path. */
  readonly dialect: Dialect;
  readonly view: RequestView;
}

/** Rejects with `missing_field`, `invalid_value` and whatever the request itself would be refused with. */
export async function readAskedRequest(exchange: Exchange): Promise<AskedRequest> {
  const bytes = await exchange.incoming.readBody(null);
  exchange.bytesIn = bytes.byteLength;
  const depth = exchange.snapshot.config.limits.jsonDepth;
  const asked = parseJsonDocument(bytes, { depth });
  const dialect = dialectOf(asked.root["path"] ?? DEFAULT_PATH);
  const request = parseJsonDocument(requestBytes(asked), { depth });
  const view = dialect.inbound?.view(request);
  if (view === undefined) throw new HeadgateError("internal", `Dialect ${dialect.name} is not spoken with callers.`);
  return { dialect, view };
}

function dialectOf(path: unknown): Dialect {
  const name = typeof path === "string" ? inferencePaths.get(path) : undefined;
  if (name !== undefined) return findDialect(name);
  throw new HeadgateError(
    "invalid_value",
    `path must be one of ${[...inferencePaths.keys()].join(", ")}: the path that the request would be sent to.`,
    { param: "path" },
  );
}

function requestBytes({ bytes, members }: JsonDocument): Uint8Array {
  const member = members.find(({ name }) => name === "request");
  if (member === undefined) {
    throw new HeadgateError(
      "missing_field",
      "request is missing: the body of the request that this is about, as it would be sent.",
      { param: "request" },
    );
  }
  return bytes.subarray(member.valueStart, member.valueEnd);
}
