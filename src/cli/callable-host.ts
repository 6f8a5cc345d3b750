import { isIPv6 } from "node:net";

/**
 * The host part of a URL that reaches whoever listens on `host` of this machine; brackets around it are taken. All
 * addresses (`0.0.0.0`, `::`, none) include the loopback one.
 */
export function callableHost(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  if (bare === "" || bare === "0.0.0.0") return "127.0.0.1";
  if (bare === "::") return "[::1]";
  return isIPv6(bare) ? `[${bare}]` : host;
}
