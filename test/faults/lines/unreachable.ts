import { failed } from "../outcome.ts";
import { any, type Lines } from "./line.ts";

const unreachable = failed(502, "upstream_unreachable");

/** The way to a provider. Tested by course/unreachable.test.ts. */
export const unreachableLines: Lines<
  "connection refused" | "name unknown" | "not TLS" | "failed handshake" | "endless handshake"
> = {
  "connection refused": any("The provider refuses the connection", unreachable, { next: "again" }),
  "name unknown": any("The provider's name does not resolve", unreachable, { next: "again" }),
  "not TLS": any("The provider does not speak TLS where TLS is expected", unreachable, { next: "again" }),
  "failed handshake": any("The TLS handshake fails", unreachable, { next: "again" }),
  "endless handshake": any(
    "The dial or the handshake takes longer than `timeouts.connectMs`",
    failed(504, "connect_timeout", { ending: "timeout" }),
    { next: "elsewhere" },
  ),
};
