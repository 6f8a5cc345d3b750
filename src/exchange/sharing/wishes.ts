/** What a request's headers ask for: a key under which it is made once, and whether a cached answer will do. */
import type { ModelCacheConfig } from "../../config/config.ts";
import { HeadgateError } from "../../kernel/errors.ts";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const KEY_CHARS_MAX = 255;

/** Throws `invalid_header` for a key that is empty or longer than 255 characters. */
export function readIdempotencyKey(headers: Headers): string | null {
  const key = headers["idempotency-key"];
  if (key === undefined) return null;
  if (typeof key === "string" && key !== "" && key.length <= KEY_CHARS_MAX) return key;
  throw new HeadgateError("invalid_header", `Idempotency-Key must have from 1 to ${KEY_CHARS_MAX} characters.`, {
    param: "idempotency-key",
  });
}

export interface CacheWish {
  /** `use`: a kept answer will do. `refresh`: a new one, which is kept. `bypass`: a new one, which is not. */
  readonly mode: "use" | "refresh" | "bypass";
  /** Older answers will not do. `Infinity`: any will. */
  readonly maxAgeMs: number;
}

/** Where the route caches only on request, not asking is a wish to pass it by. Throws `invalid_header`. */
export function readCacheWish(headers: Headers, mode: ModelCacheConfig["mode"]): CacheWish | null {
  const own = headers["x-headgate-cache"];
  if (own !== undefined && own !== "use" && own !== "refresh" && own !== "bypass") {
    throw new HeadgateError("invalid_header", "x-headgate-cache must be use, refresh or bypass.", {
      param: "x-headgate-cache",
    });
  }
  if (mode === "off" || (mode === "on-request" && own === undefined)) return null;
  const directives = readDirectives(headers["cache-control"]);
  const maxAge = directives.get("max-age");
  const maxAgeMs = maxAge === undefined || !/^\d{1,9}$/.test(maxAge) ? Infinity : Number(maxAge) * 1000;
  const asked = directives.has("no-store") ? "bypass" : directives.has("no-cache") ? "refresh" : "use";
  return { mode: own ?? asked, maxAgeMs };
}

/** Of a request's `cache-control` (RFC 9111, 5.2.1); what is not known there is passed over. */
function readDirectives(header: string | string[] | undefined): ReadonlyMap<string, string> {
  const directives = new Map<string, string>();
  if (typeof header !== "string") return directives;
  for (const directive of header.toLowerCase().split(",")) {
    const [name = "", value = ""] = directive.split("=");
    directives.set(name.trim(), value.trim());
  }
  return directives;
}
